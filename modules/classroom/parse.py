"""From a class file, its roster and its template to a Class, or to all problems at once.

text -> data (YAML) -> each value by itself -> the roster's rows -> the template -> across keys -> each override's lab.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path as FilePath
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from modules.base.errors import InvalidStackError, StacklabError
from modules.classroom import checks, labs, roster
from modules.classroom.model import ClassSpec, Student
from modules.classroom.types import LONGEST_CLASS
from modules.topology import parse as stacks
from modules.topology import types as t
from modules.topology.known import Known
from modules.topology.locate import Locator
from modules.topology.model import LabSpec
from modules.topology.order import in_order
from modules.topology.problem import Path, Problem, StackProblemsError, nearest
from modules.topology.shape import shape
from modules.topology.words import Schema

GUIDE = "docs/class.md"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STAND_IN: dict[str, Any] = {"roster": [{"id": "s01"}], "template": "dev"}


@dataclass(frozen=True)
class Class:
    """A class whose file is right. `labs` are the kinds of lab in it, by student; most share the template's."""

    name: str
    file: FilePath
    spec: ClassSpec
    template: Mapping[str, Any]
    labs: Mapping[str, Kind]
    usual: Kind

    def lab(self, student: str) -> Kind:
        """What the lab of a student is like."""
        return self.labs.get(student, self.usual)


@dataclass(frozen=True)
class Kind:
    """A lab as yet nobody's: what its stack file would say, and what that means."""

    wanted: Mapping[str, Any]
    spec: LabSpec


class _Roster(t.Strict):
    students: t.Items[Student]


def class_file(folder: FilePath, name: str) -> FilePath:
    """Where the file of a class is, or would be."""
    return folder / f"{name}.yaml"


def load(path: FilePath, stack_folder: FilePath, known: Known) -> Class:
    """The class of a file. `stack_folder` has the stack files that it may name."""
    text = _read(path)
    data = stacks.decode(text, str(path), _LOADER)
    locator = Locator(text, ())
    if not isinstance(data, Mapping):
        what = "there is no class here" if data is None else "a class is a mapping"
        problem = Problem((), what, data, f"a mapping with the keys {', '.join(ClassSpec.model_fields)}")
        raise StackProblemsError([problem], str(path), root=(), guide=GUIDE)
    problems = [*_name(path), *locator.twice()]
    shaped = shape(ClassSpec, data, _schema(), locator=locator, stand_in=_STAND_IN)
    problems += shaped.problems
    taken_out = set(shaped.taken_out)
    found: Class | None = None
    if shaped.value is not None:
        spec, more = _with_students(shaped.value, path, locator)
        problems += more
        taken_out |= {("roster",)} if more else set()
        template, more = _template(spec, path, stack_folder, known) if ("template",) not in taken_out else (None, [])
        problems += more
        crossed = [p.moved(shaped.original) for p in checks.across(spec, template.spec if template else None)]
        if template is not None:
            kinds, more = _kinds(spec, template, known, alone=any(p.path[0] == "addresses" for p in crossed))
            crossed += more
            found = Class(path.stem, path, spec, template.wanted, kinds, template)
        problems += [p for p in crossed if not p.spoilt_by(taken_out)]
    if problems or found is None:
        placed = [replace(p, line=p.line or locator.line(p.path), other_line=_other(p, locator)) for p in problems]
        raise StackProblemsError(in_order(placed, data), str(path), root=(), guide=GUIDE)
    return found


@cache
def _schema() -> Schema:
    return Schema(ClassSpec.model_json_schema())


def _read(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = [one.stem for one in sorted(path.parent.glob("*.yaml")) if not one.stem.endswith(".places")]
        close = nearest(path.stem, there)
        hint = f"there are {', '.join(there)}" + (f"; did you mean {close}?" if close else "") if there else ""
        raise InvalidStackError("there is no such class file", where=str(path), hint=hint) from None


def _other(problem: Problem, locator: Locator) -> int | None:
    return problem.other_line or (None if problem.other is None else locator.line(problem.other))


def _name(path: FilePath) -> Iterator[Problem]:
    """The file's name is the class's name, and begins the names of all its stacks."""
    try:
        TypeAdapter(t.AppName).validate_python(path.stem)
        fine = len(path.stem) <= LONGEST_CLASS
    except ValidationError:
        fine = False
    if not fine:
        what = "the name of this file is the name of the class, and stacks' names begin with it"
        allowed = f"a-z, 0-9 and -, a letter first, {LONGEST_CLASS} characters at most"
        yield Problem((), what, path.stem, allowed, "rename the file")


def _with_students(spec: ClassSpec, path: FilePath, locator: Locator) -> tuple[ClassSpec, list[Problem]]:
    """The spec with its roster read, wherever it is."""
    if isinstance(spec.roster, tuple):
        places: list[Path] = [("roster", index) for index in range(len(spec.roster))]
        return spec, list(checks.roster([one.id for one in spec.roster], places, [None] * len(places)))
    at: Path = ("roster", spec.roster)
    file = path.parent / spec.roster
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = [one.name for one in sorted(path.parent.glob("*.csv"))]
        missing = Problem(
            ("roster",), "there is no such file", spec.roster, ", ".join(there), nearest(spec.roster, there)
        )
        return spec, [missing]
    except UnicodeDecodeError:
        hint = "save it as CSV UTF-8"
        return spec, [Problem(("roster",), "this file is not UTF-8 text", spec.roster, "CSV in UTF-8", hint)]
    rows = roster.read(text, at)
    if rows.problems and not rows.students:
        return spec, list(rows.problems)
    places = [(*at, f"line {line}") for line in rows.lines]
    students, problems = _students(rows, places)
    problems += checks.roster([row.get("id", "") for row in rows.students], places, rows.lines)
    return spec.model_copy(update={"roster": students}), [*rows.problems, *problems]


def _students(rows: roster.Rows, places: list[Path]) -> tuple[tuple[Student, ...], list[Problem]]:
    data = {"students": rows.students}
    try:  # thousands of right rows are the usual case
        return _Roster.model_validate(data).students, []
    except ValidationError:
        shaped = shape(_Roster, data, Schema(_Roster.model_json_schema()), locator=Locator(None, ()))
        found = [_in_table(problem, rows, places) for problem in shaped.problems]
        return (shaped.value.students if shaped.value else ()), found


def _in_table(problem: Problem, rows: roster.Rows, places: list[Path]) -> Problem:
    _, index, *rest = problem.path
    return replace(problem, path=(*places[int(index)], *rest), line=rows.lines[int(index)])


def template_file(name: str, class_path: FilePath, stack_folder: FilePath) -> FilePath:
    """A stack's file by its name, or by a path from the class file on."""
    return class_path.parent / name if name.endswith(".yaml") else stack_folder / f"Pulumi.{name}.yaml"


def _template(
    spec: ClassSpec, path: FilePath, stack_folder: FilePath, known: Known
) -> tuple[Kind | None, list[Problem]]:
    file = template_file(spec.template, path, stack_folder)
    at: Path = ("template",)
    try:
        data, text = stacks.read(file)
        return Kind(data, stacks.parse(data, known, source=str(file), text=text)), []
    except StackProblemsError as error:
        count = len(error.problems)
        what = (
            "the template has a problem of its own" if count == 1 else f"the template has {count} problems of its own"
        )
        first = " ".join(" ".join(error.problems[0].lines()).split())
        return None, [Problem(at, what, spec.template, first, f"stacklab validate {spec.template}")]
    except StacklabError as error:
        return None, [Problem(at, error.what, spec.template, "the name of a stack in stacks/", error.hint)]


def _kinds(spec: ClassSpec, usual: Kind, known: Known, *, alone: bool) -> tuple[Mapping[str, Kind], list[Problem]]:
    """The labs that differ from the template's, each checked as if it were a stack file; `alone`: without addresses."""
    problems: list[Problem] = []
    kinds: dict[str, Kind] = {}
    done: dict[str, Kind] = {}
    ids = {student.id for student in spec.students}
    for student, change in {"": {}, **spec.overrides}.items():
        if student and student not in ids:
            continue
        shown = json.dumps(change, sort_keys=True, default=str)
        if shown not in done:
            wanted = labs.merged(usual.wanted, change)
            at: Path = ("overrides", student) if student else ("template",)
            try:
                kind = Kind(wanted, stacks.parse(wanted, known)) if student else usual
                if spec.tenancy == "cluster" and not alone:
                    _fits_its_network(kind, spec, student or "s01", known)
            except StackProblemsError as error:
                problems += [_moved(problem, change, at) for problem in error.problems]
                continue
            done[shown] = kind
        if student:
            kinds[student] = done[shown]
    return kinds, problems


def _fits_its_network(kind: Kind, spec: ClassSpec, student: str, known: Known) -> None:
    """One student's lab as a stack file: addresses that are written out may not fit into a smaller network."""
    each = spec.addresses.each
    network = IPv4Network((int(spec.addresses.range.network_address), each))
    stacks.parse(labs.lab_data(kind.wanted, kind.spec, student, labs.Place(network)), known)


def _moved(problem: Problem, change: Mapping[str, Any], at: Path) -> Problem:
    """A problem of a lab, told at the key of the class file that brought it about."""
    path: Path = ()
    value: Any = change
    for step in problem.path:
        inside = isinstance(value, Mapping) and step in value
        listed = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not inside and not listed:
            break
        value = value[step]
        path = (*path, step)
    where = problem.path[len(path) :]
    what = f"{'.'.join(map(str, where))}: {problem.what}" if where else problem.what
    return Problem((*at, *path), what, problem.found, problem.allowed, problem.hint, rests_on=(("template",),))
