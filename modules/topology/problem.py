"""One problem of a stack file, and how many of them are shown: plain text, all at once, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from textwrap import wrap
from typing import Any

import yaml

from modules.base.errors import InvalidStackError

Path = tuple[str | int, ...]

ROOT: Path = ("config", "stacklab:lab")
LONGEST = 72
WIDTH = 98


class Nothing:
    """Stands for a value that is not in the file."""


NOTHING = Nothing()


@dataclass(frozen=True)
class Problem:
    """Where, what is wrong, what was found, what is allowed, what to write instead.

    path starts below `stacklab:lab`; other is the place it clashes with. rests_on are keys the verdict was made with:
    when one of those is itself wrong, the problem is not reported, because mending that one may end it.
    """

    path: Path
    what: str
    found: Any = NOTHING
    allowed: str = ""
    hint: str = ""
    rests_on: tuple[Path, ...] = ()
    other: Path | None = None
    line: int | None = None
    other_line: int | None = None

    def moved(self, place: Callable[[Path], Path]) -> Problem:
        """The same problem with its paths changed."""
        other = None if self.other is None else place(self.other)
        return replace(self, path=place(self.path), other=other, rests_on=tuple(map(place, self.rests_on)))

    def spoilt_by(self, wrong: Iterable[Path]) -> bool:
        """Whether it was judged by something that is itself wrong."""
        looked_at = (self.path, *self.rests_on, *(() if self.other is None else (self.other,)))
        return any(related(path, gone) for gone in wrong for path in looked_at)

    def lines(self, root: Path = ROOT) -> list[str]:
        """The paragraph shown for it; `root` is where in its file the paths start."""
        other = "" if self.other is None else show_path(root + self.other) + _at_line(self.other_line)
        rows = [("found", show(self.found)), ("also at", other), ("allowed", self.allowed), ("try", self.hint)]
        head = (show_path(root + self.path) or "the whole file") + _at_line(self.line)
        return [head, f"  {self.what}", *(line for name, text in rows if text for line in _row(name, text))]


def _at_line(line: int | None) -> str:
    return f"   (line {line})" if line else ""


def _row(name: str, text: str) -> list[str]:
    first, rest = f"    {name + ':':<9}", " " * 13
    return wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


class StackProblemsError(InvalidStackError):
    """All problems of one file; `problems` for programs, the text for people."""

    def __init__(
        self, problems: Sequence[Problem], source: str, *, root: Path = ROOT, guide: str = "docs/stack-file.md"
    ) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        body = "\n\n".join("\n".join(f"  {line}" for line in problem.lines(root)) for problem in problems)
        super().__init__(
            f"{count}, nothing was touched\n\n{body}\n",
            where=source,
            hint=f"mend the file and run the same command again; every key is explained in {guide}",
        )
        self.problems = tuple(problems)


def show_path(path: Iterable[str | int]) -> str:
    """("apps", 0, "name") -> apps[0].name"""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z0-9_:-]+", step):
            text += f".{step}" if text else step
        else:  # a key with dots or blanks of its own
            text += f'["{step}"]'
    return text


def show(value: Any) -> str:
    """A value as one short line of YAML; empty for what is not there."""
    if isinstance(value, Nothing):
        return ""
    if value is None:
        return "nothing"
    plain = value if isinstance(value, (str, int, float, bool, list, tuple, dict)) else str(value)
    plain = list(plain) if isinstance(plain, tuple) else plain
    text = yaml.safe_dump(plain, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    text = text.removesuffix("\n").removesuffix("\n...").replace("\n", " ")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def nearest(word: object, choices: Iterable[str]) -> str:
    """The choice most like `word`, or nothing."""
    folded = {choice.lower(): choice for choice in choices}
    close = get_close_matches(str(word).lower().replace("_", "-"), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def listing(words: Iterable[object], last: str = "or") -> str:
    """a, b or c"""
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}" if texts else ""


def related(one: Path, other: Path) -> bool:
    """Whether one path lies on the way to the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
