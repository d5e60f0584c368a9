"""What a check is, what one look of it yields, and what is reported in the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from modules.verify.context import Context


@dataclass(frozen=True)
class Look:
    """One look: whether it is so, what was seen, and whether looking again could not change it."""

    ok: bool
    evidence: str
    final: bool = False


class Check(Protocol):
    """One question about the lab. `look` may be called many times, until it is so or the deadline passes.

    hint: the next step when it is not so.
    """

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def hint(self) -> str: ...
    def look(self, context: Context) -> Look: ...


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    name: str
    description: str
    ok: bool
    evidence: str
    seconds: float
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {**asdict(self), "seconds": round(self.seconds, 2)}
