"""Whether a class is over: its last day is still a day of it. Pure; the day is told, never asked for here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from modules.base.errors import StacklabError

Due = Literal["over", "open", "endless"]


@dataclass(frozen=True)
class Verdict:
    """What is to be done with one class, and why in words."""

    name: str
    due: Due
    why: str


def over(expires: date | None, today: date) -> bool:
    """From the day after the last one on."""
    return expires is not None and today > expires


def verdict(name: str, expires: date | None, today: date) -> Verdict:
    """Of one class."""
    if expires is None:
        return Verdict(name, "endless", "has no last day")
    if over(expires, today):
        return Verdict(name, "over", f"over since {expires}")
    days = (expires - today).days
    return Verdict(name, "open", f"expires after {expires}, " + ("today" if not days else f"in {days} days"))


def require_open(name: str, expires: date | None, today: date) -> None:
    """Raises StacklabError for a class that is over: nothing new is made for it."""
    if over(expires, today):
        raise StacklabError(
            f"the class is over since {expires}",
            where=f"class {name}",
            hint="set expires in the class file to a later day",
        )
