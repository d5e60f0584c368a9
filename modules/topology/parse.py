"""From text or data to a LabSpec, or to all problems at once.

text -> data (YAML) -> each value by itself (shape) -> what is left open (resolve) -> across keys (checks).
Known, what may be named, is handed in; see known.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path as FilePath
from typing import Any

import yaml

from modules.base.errors import InvalidStackError
from modules.topology.checks import check
from modules.topology.known import Known
from modules.topology.locate import Locator
from modules.topology.model import LabSpec
from modules.topology.order import in_order
from modules.topology.problem import Problem, StackProblemsError, nearest
from modules.topology.resolve import nearest_version, resolve
from modules.topology.shape import shape
from modules.topology.words import Schema


def parse(data: object, known: Known, *, source: str = "stack file", text: str | None = None) -> LabSpec:
    """The lab that `data`, the value of `stacklab:lab`, describes. With the file's text problems have line numbers."""
    locator = Locator(text)
    if not isinstance(data, Mapping):
        what = "there is no lab here" if data is None else "a lab is a mapping"
        keys = ", ".join(LabSpec.model_fields)
        problem = Problem((), what, data, f"a mapping with the keys {keys}", "backend: kind")
        raise StackProblemsError([_placed(problem, locator, data)], source)
    problems = list(locator.twice())
    shaped = shape(LabSpec, data, _schema(), locator=locator, stand_in={"backend": "kind"})
    problems += [_about_version(problem, known) for problem in shaped.problems]
    taken_out = shaped.taken_out
    if shaped.value is None:
        raise StackProblemsError(_sorted(problems, locator, data), source)
    resolved = resolve(shaped.value, known, locator)
    taken_out += resolved.taken_out
    problems += resolved.problems
    across = [problem.moved(shaped.original) for problem in check(resolved.spec, known)]
    problems += [problem for problem in across if not problem.spoilt_by(taken_out)]
    problems += _twice_in_list(data)
    if problems:
        raise StackProblemsError(_sorted(problems, locator, data), source)
    return resolved.spec


def load(path: FilePath, known: Known) -> LabSpec:
    """The lab of a stack file, read from `config: {stacklab:lab: ...}`."""
    data, text = read(path)
    return parse(data, known, source=str(path), text=text)


def read(path: FilePath) -> tuple[Any, str]:
    """The lab of a stack file as it is written there, unchecked, and the file's text."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = [
            p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in sorted(path.parent.glob("Pulumi.*.yaml"))
        ]
        asked = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        hint = f"there are {', '.join(there)}" + (
            f"; did you mean {nearest(asked, there)}?" if nearest(asked, there) else ""
        )
        raise InvalidStackError("there is no such stack file", where=str(path), hint=hint if there else "") from None
    document = decode(text, str(path))
    config = document.get("config") if isinstance(document, Mapping) else None
    if not isinstance(config, Mapping) or "stacklab:lab" not in config:
        keys = [str(key) for key in config] if isinstance(config, Mapping) else []
        close = nearest("stacklab:lab", keys)
        what = "there is no lab in it: `config:` must have the key `stacklab:lab`"
        hint = f"{close} should be stacklab:lab" if close else "begin with the three lines of stacks/Pulumi.dev.yaml"
        raise InvalidStackError(what, where=str(path), hint=hint)
    return config["stacklab:lab"], text


def decode(text: str, where: str, loader: Any = yaml.SafeLoader) -> Any:
    """The data of a YAML text; what is not YAML is an error that says where it stops being."""
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - callers hand in safe loaders only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = f"this is not YAML: {at}{getattr(error, 'problem', None) or error}"
        raise InvalidStackError(what, where=where, hint="look at that line and the one before it") from None


@cache
def _schema() -> Schema:
    return Schema(LabSpec.model_json_schema())


def _about_version(problem: Problem, known: Known) -> Problem:
    """For a version the words are those that are known; 1.36 without quotes is a number to YAML, 1.36.3 is not."""
    if problem.path != ("kubernetes",):
        return problem
    return replace(
        problem, allowed=", ".join(("latest", *known.kubernetes)), hint=nearest_version(problem.found, known)
    )


def _twice_in_list(data: Mapping[Any, Any]) -> list[Problem]:
    names = data.get("addons")
    if not isinstance(names, list):
        return []
    return [
        Problem(("addons", index), "this addon is named twice", name, "each addon once")
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def _sorted(problems: list[Problem], locator: Locator, data: Mapping[Any, Any]) -> list[Problem]:
    return in_order([_placed(problem, locator, data) for problem in problems], data)


def _placed(problem: Problem, locator: Locator, data: object) -> Problem:
    """With its lines; an addon that is in a list is shown by its place there."""
    path, other = problem.path, problem.other
    names = data.get("addons") if isinstance(data, Mapping) else None
    if len(path) == 2 and path[0] == "addons" and isinstance(names, list) and path[1] in names:
        path = ("addons", names.index(path[1]))
    other_line = None if other is None else locator.line(other)
    return replace(problem, path=path, line=problem.line or locator.line(path), other_line=other_line)
