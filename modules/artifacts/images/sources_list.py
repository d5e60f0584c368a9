"""Which Debian archive this machine uses: its own apt sources; no mirror is written down here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modules.base.errors import ArtifactError

APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")


@dataclass(frozen=True)
class AptSources:
    """suite: the release's code name; lines: one-line sources of that release only, not of other vendors."""

    suite: str
    lines: tuple[str, ...]


def read(apt: Path = APT, os_release: Path = OS_RELEASE) -> AptSources:
    """This machine's own; ArtifactError when it has none."""
    release = dict(line.partition("=")[::2] for line in _text(os_release).splitlines())
    suite = release.get("VERSION_CODENAME", "").strip('"')
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    lines = [line for file in files if file.suffix in (".list", ".sources") for line in parse(_text(file), file.suffix)]
    own = tuple(line for line in lines if suite and _suite(line).split("-")[0] == suite)
    if not own:
        raise ArtifactError(
            "this machine has no Debian or Ubuntu package sources",
            where=str(apt),
            hint="root file systems are made with mmdebstrap from them: use Debian or Ubuntu, or `sources: upstream`",
        )
    return AptSources(suite, own)


def parse(text: str, suffix: str) -> list[str]:
    """One-line sources out of a `.list` or `.sources` file."""
    if suffix == ".list":
        stripped = (line.partition("#")[0].strip() for line in text.splitlines())
        return [" ".join(line.split()) for line in stripped if line.startswith("deb ")]
    return [line for stanza in _stanzas(text) for line in _one_line(stanza)]


def _stanzas(text: str) -> Iterable[dict[str, str]]:
    for block in text.split("\n\n"):
        stanza: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t":
                stanza[key] += " " + line.strip()
            else:
                key, _, value = line.partition(":")
                key = key.lower()
                stanza[key] = value.strip()
        if stanza:
            yield stanza


def _one_line(stanza: dict[str, str]) -> Iterable[str]:
    if "deb" not in stanza.get("types", "").split() or stanza.get("enabled", "yes").lower() == "no":
        return
    signed = stanza.get("signed-by", "")
    option = f"[signed-by={signed}] " if signed.startswith("/") else ""
    for uri in stanza.get("uris", "").split():
        for suite in stanza.get("suites", "").split():
            yield f"deb {option}{uri} {suite} {stanza.get('components', '')}".strip()


def _suite(line: str) -> str:
    words = line.split()[1:]
    while words and words[0].startswith("["):
        while words and not words.pop(0).endswith("]"):
            pass
    return words[1] if len(words) > 1 else ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
