"""Which sources can be used right now: all are asked at once, and the answer is said in words."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from modules.artifacts.source import Source
from modules.base.errors import ArtifactError

LIMIT = 3.0


@dataclass(frozen=True)
class Finding:
    """A source and why it cannot be used; empty when it can."""

    source: Source
    reason: str


@dataclass(frozen=True)
class Survey:
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> tuple[Source, ...]:
        return tuple(f.source for f in self.findings if not f.reason)

    def require(self) -> None:
        """Raise ArtifactError when nothing beside the cache can be used: told at once, not once for each artifact."""
        if all(source.name == "cache" for source in self.usable):
            reasons = "\n".join(f"{f.source.name}: {f.reason}" for f in self.findings if f.reason)
            raise ArtifactError(
                "no source of artifacts is in reach",
                output=reasons,
                hint="look at the network or the proxy, or use `--sources packages` or a bundle",
            )

    def lines(self) -> list[str]:
        """What to tell the user: the first source beside the cache that is taken, and why not those before it."""
        lines: list[str] = []
        for finding in self.findings:
            if finding.source.name == "cache":
                continue
            if not finding.reason:
                return [*lines, f"taking what is not in the cache from {finding.source.name}"]
            lines.append(f"{finding.source.name} is out of reach: {finding.reason}")
        return [*lines, "no source is in reach: only what is in the cache can be used"]


def survey(sources: Sequence[Source], limit: float = LIMIT) -> Survey:
    """Ask every source whether it can be used; one that does not know after `limit` seconds cannot."""
    # Not a `with`: that would wait for a source that takes longer than we do.
    pool = ThreadPoolExecutor(max_workers=max(len(sources), 1), thread_name_prefix="survey")
    asked = [pool.submit(source.reach) for source in sources]
    wait(asked, timeout=limit)
    pool.shutdown(wait=False, cancel_futures=True)
    return Survey(tuple(Finding(s, _reason(f, limit)) for s, f in zip(sources, asked, strict=True)))


def _reason(future: Future[str], limit: float) -> str:
    if not future.done():
        return f"no answer within {limit:g} s"
    try:
        return future.result()
    except ArtifactError as error:
        return error.what
