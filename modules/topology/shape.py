"""Each value of a stack file by itself: pydantic finds what is wrong, this says it in words and looks on.

What is wrong is taken out and the rest is checked again, so that the checks across keys (checks/) can report their
problems in the same run. `Shaped.taken_out` tells them which keys they must not judge by.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from modules.topology.locate import Locator
from modules.topology.problem import NOTHING, Path, Problem, nearest
from modules.topology.words import Schema

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Shaped(Generic[M]):
    """The value made of what was right, the problems of the rest, and the paths that were left out.

    original turns a path of the value into that of the file: items before it may be left out.
    """

    value: M | None
    problems: tuple[Problem, ...]
    taken_out: tuple[Path, ...]
    original: Callable[[Path], Path]


def shape(
    model: type[M],
    data: Mapping[str, Any],
    schema: Schema,
    *,
    at: Path = (),
    locator: Locator,
    stand_in: Mapping[str, Any] | None = None,
) -> Shaped[M]:
    """Validate `data`, which stands at `at`. stand_in has values for required keys of the model that are wrong."""
    rest = _Rest(data)
    problems: list[Problem] = []
    value: M | None = None
    for _ in range(_size(data) + len(stand_in or {})):
        try:
            value = model.model_validate(rest.data)
            break
        except ValidationError as error:
            details = error.errors(include_url=False)
        places: dict[Path, list[ErrorDetails]] = {}
        for detail in details:  # a union reports once for each of its members
            places.setdefault(rest.place(detail), []).append(detail)
        told = set(rest.taken_out)  # a wrong value is missing afterwards
        paths = {place: rest.path(place) for place in places}
        problems += [_explain(paths[p], e, schema, at, locator) for p, e in places.items() if paths[p] not in told]
        culprits = {_culprit(place, found[0]) for place, found in places.items()}
        if () in culprits:  # the whole is wrong, there is nothing to look on with
            break
        for place in sorted(culprits, key=_backwards):
            rest.take_out(place, stand_in or {})
    return Shaped(value, tuple(problems), tuple(at + p for p in rest.taken_out), rest.path)


class _Rest:
    """A copy of the data from which wrong parts are taken out; remembers where list items were at first."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data: Any = copy.deepcopy(dict(data))
        self.taken_out: list[Path] = []
        self._alive: dict[Path, list[int]] = {}

    def place(self, error: ErrorDetails) -> Path:
        """Where in what is left an error is: its location without the names pydantic gives to parts of a union."""
        place: Path = ()
        value: Any = self.data
        for step in error["loc"]:
            if isinstance(value, list) and isinstance(step, int):
                value = value[step]
            elif isinstance(value, Mapping) and (key := _key(value, step)) in value:
                value, step = value[key], str(key)
            elif error["type"] != "missing" or step != error["loc"][-1]:
                continue
            place = (*place, step)
        return place

    def path(self, place: Path) -> Path:
        """The path in the file of a place in what is left."""
        path: Path = ()
        for step in place:
            path = (*path, self._alive[path][step] if isinstance(step, int) and path in self._alive else step)
        return path

    def take_out(self, place: Path, stand_in: Mapping[str, Any]) -> None:
        holder = self.data
        for step in place[:-1]:
            holder = holder[step] if isinstance(step, int) else holder[_key(holder, step)]
        self.taken_out.append(self.path(place))
        last = place[-1]
        if isinstance(last, int) and isinstance(holder, list):
            alive = self._alive.setdefault(self.path(place[:-1]), list(range(len(holder))))
            del holder[last], alive[last]
        else:
            holder.pop(_key(holder, last), None)
            if len(place) == 1 and last in stand_in:
                holder[last] = stand_in[str(last)]


def _key(holder: Mapping[Any, Any], step: str | int) -> Any:
    """The key as YAML made it: 1 and true are no texts, and a path holds texts."""
    return next((k for k in holder if k == step or str(k) == str(step)), step)


def _culprit(place: Path, error: ErrorDetails) -> Path:
    """What to take out: the value, or the item that lacks a required key."""
    return place[:-1] if error["type"] == "missing" and len(place) > 1 else place


def _backwards(path: Path) -> tuple[Any, ...]:
    # Deeper and later parts first: taking one out must not move the others.
    return (-len(path), *(-s if isinstance(s, int) else 0 for s in path))


def _size(data: Any) -> int:
    inner = data.values() if isinstance(data, Mapping) else data if isinstance(data, (list, tuple)) else ()
    return 1 + sum(_size(value) for value in inner)


_WHAT = {
    "literal_error": "this value is not known",
    "enum": "this value is not known",
    "too_short": "there are too few",
    "too_long": "there are too many",
}


def _explain(path: Path, errors: list[ErrorDetails], schema: Schema, at: Path, locator: Locator) -> Problem:
    error = errors[0]
    kind, value, given = error["type"], error["input"], error.get("ctx", {})
    if kind in ("extra_forbidden", "invalid_key"):
        return _unknown_key(path, schema, at)
    allowed, choices = schema.allowed(path), schema.choices(path)
    if kind == "missing":
        return Problem(at + path, "this key must be there", NOTHING, allowed)
    if error["loc"][-1] == "[key]":
        what, hint = str(given.get("what", "this is not a key for here")), str(given.get("hint", ""))
        if not isinstance(value, str):
            what = "YAML does not read this key as text; put it in quotes"
        return Problem(at + path, what, path[-1], schema.key(path[:-1]), hint)
    hint = str(given.get("hint", ""))
    typed = locator.typed(at + path) or str(value)
    if what := _misread(value, schema.kinds(path)):
        unquoted = typed.strip() if isinstance(value, str) else ""
        quoted = f'"{typed}"' if value is not None and not unquoted and schema.fits(path, typed) else ""
        return Problem(at + path, what, value, allowed, hint or unquoted or quoted)
    if isinstance(value, str):
        hint = hint or nearest(value, choices)
    elif isinstance(value, Mapping) and len(value) == 1:  # an exposure of no known kind
        close = nearest(next(iter(value)), schema.keys(path))
        hint = hint or (f"{close}: {{}}" if close else "")
    if kind == "stacklab":
        what = str(given["what"])
    elif kind in ("value_error", "assertion_error"):
        what = error["msg"].partition(", ")[2] or error["msg"]
    elif kind.startswith(("greater_than", "less_than")) and len(errors) == 1:
        what = "this number is out of range"
    else:
        what = _WHAT.get(kind, "this is not what belongs here") if len(errors) == 1 else "this is not what belongs here"
    return Problem(at + path, what, value, allowed, hint)


def _unknown_key(path: Path, schema: Schema, at: Path) -> Problem:
    key, keys = path[-1], schema.keys(path[:-1])
    elsewhere = [place for place in schema.elsewhere(str(key)) if not at]
    close = nearest(key, keys)
    if not close and len(elsewhere) == 1:
        return Problem(at + path, f"there is no such key here; there is one at {elsewhere[0]}", key, ", ".join(keys))
    return Problem(at + path, "there is no such key", key, ", ".join(keys) or "no keys here", close)


def _misread(value: object, kinds: frozenset[str]) -> str:
    """What YAML made of a value that people meant otherwise; empty when it is not that."""
    if value is None:
        return "there is no value here"
    if isinstance(value, str):
        number = "string" not in kinds and value.strip().lstrip("-").isdigit()
        return "this is text because of its quotes; a number is wanted" if kinds and number else ""
    if "string" not in kinds or isinstance(value, (list, tuple, Mapping)):
        return ""
    if isinstance(value, bool):
        return "YAML reads this as true or false; text is wanted"
    if isinstance(value, (int, float)) and not kinds & {"integer", "number"}:
        return "YAML reads this as a number; text is wanted"
    return "YAML reads this as a date; text is wanted" if isinstance(value, date) else ""
