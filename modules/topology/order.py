"""The order in which problems are told: that of the file they are in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modules.topology.problem import Path, Problem


def in_order(problems: Iterable[Problem], data: Any) -> list[Problem]:
    """The problems of a file with this content, sorted by their place in it."""
    order = _order(data)
    return sorted(problems, key=lambda problem: _position(problem.path, order))


def _order(data: object) -> dict[Path, int]:
    """Every path of the data, numbered as they stand in the file."""
    order: dict[Path, int] = {}

    def walk(value: object, path: Path) -> None:
        order[path] = len(order)
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(inner, (*path, key if isinstance(key, str) else str(key)))
        elif isinstance(value, (list, tuple)):
            for index, inner in enumerate(value):
                walk(inner, (*path, index))

    walk(data, ())
    return order


def _position(path: Path, order: Mapping[Path, int]) -> int:
    return next(order[path[:n]] for n in range(len(path), -1, -1) if path[:n] in order)
