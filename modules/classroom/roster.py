"""A roster as a CSV file: id, name, mail, group, as spreadsheets write them. Pure: text -> rows, problems.

Comma or semicolon (whichever the first line has), with or without a byte order mark; blank lines do not count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from modules.classroom.model import MOST_STUDENTS, Student
from modules.topology.problem import NOTHING, Path, Problem, nearest

COLUMNS = tuple(Student.model_fields)


@dataclass(frozen=True)
class Rows:
    """Students as they were written, and the line of each; what is wrong with the table itself."""

    students: list[dict[str, str]]
    lines: list[int]
    problems: tuple[Problem, ...]


def read(text: str, at: Path) -> Rows:
    """The rows of a CSV text; `at` is the path that its problems are told under."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    header = [name.strip().lower() for name in next(reader, [])]
    problems = list(_header(header, at))
    if any(p.path == at for p in problems):
        return Rows([], [], tuple(problems))
    students: list[dict[str, str]] = []
    lines: list[int] = []
    for row in reader:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        line = reader.line_num
        if len(cells) > len(header):
            what = f"this row has {len(cells)} cells, and there are {len(header)} columns"
            hint = "put a cell that has the separator in it into quotes"
            problems.append(Problem((*at, f"line {line}"), what, ", ".join(cells), ", ".join(header), hint, line=line))
            continue
        pairs: Mapping[str, str] = dict(zip(header, cells, strict=False))
        students.append({name: cell for name, cell in pairs.items() if name in COLUMNS and (cell or name == "id")})
        lines.append(line)
    if not students and not problems:
        problems.append(Problem(at, "there is nobody in this roster", NOTHING, "a line for each student", line=1))
    if len(students) > MOST_STUDENTS:
        what = "there are too many students"
        problems.append(Problem(at, what, len(students), f"1 to {MOST_STUDENTS} students", "several classes"))
    return Rows(students, lines, tuple(problems))


def _header(header: list[str], at: Path) -> list[Problem]:
    allowed = ", ".join(COLUMNS)
    if "id" not in header:
        what = "the first line must name the columns, and one of them must be id"
        hint = next((f"{name} should be id" for name in header if nearest(name, ["id"])), f"begin with {allowed}")
        return [Problem(at, what, ", ".join(header), allowed, hint, line=1)]
    found = [
        Problem((*at, name), "there is no such column", name, allowed, nearest(name, COLUMNS), line=1)
        for name in header
        if name not in COLUMNS
    ]
    twice = {name for name in header if name in COLUMNS and header.count(name) > 1}
    return found + [Problem((*at, name), "this column is there twice", name, allowed, line=1) for name in sorted(twice)]
