"""Problems as one text for people. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from modules.bootstrap.checks.judge import Problem

WIDTH = 118


def table(problems: Sequence[Problem]) -> str:
    """A line for each, machine first; what to do stands below, so that commands can be pasted whole."""
    room = max((len(one.machine) for one in problems), default=0)
    lines = []
    for one in problems:
        wrapped = textwrap.wrap(one.what, WIDTH - room - 4) or [""]
        lines.append(f"  {one.machine:<{room}}  {wrapped[0]}")
        lines += [f"  {'':<{room}}  {rest}" for rest in wrapped[1:]]
        if one.next:
            lines.append(f"  {'':<{room}}    -> {one.next}")
    return "\n".join(lines)


def summary(problems: Sequence[Problem]) -> str:
    """How many, on how many machines."""
    count, machines = len(problems), len({one.machine for one in problems})
    return f"{count} problem{'s' * (count != 1)} on {machines} machine{'s' * (machines != 1)}; nothing has been changed"
