"""Whatever is in the file, it plans or it is refused with problems: nothing else is ever raised."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.topology.parse import parse
from modules.topology.plan import Machine, plan
from modules.topology.problem import Problem, StackProblemsError
from tests.unit.topology.small import KNOWN

DATA = Path(__file__).parent / "data"
LABS = [
    yaml.safe_load(file.read_text())["config"]["stacklab:lab"]
    for file in sorted([*(DATA / "valid").glob("*.yaml"), *(DATA / "invalid").glob("*.yaml")])
]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=9),
    st.dates(),
    st.sampled_from(["none", "auto", "0.0.0.0/0", "255.255.255.255", "1GiB at /x", "kind", "ssh", "vip:1.2.3.4", "[]"]),
    st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3) | st.integers() | st.booleans(), st.none() | st.integers(), max_size=2),
)


def holders(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    mine = [value] if isinstance(value, (dict, list)) and value else []
    return mine + [holder for item in inner for holder in holders(item)]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    lab = copy.deepcopy(draw(st.sampled_from(LABS)))
    for _ in range(draw(st.integers(1, 4))):
        places = holders(lab)
        if not places:
            return draw(JUNK)
        holder = draw(st.sampled_from(places))
        key = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(st.text(max_size=3) | st.integers(0, 2) | st.booleans() | st.none())] = holder.pop(key)
        else:
            holder[key] = draw(JUNK)
    return lab


@settings(deadline=None, max_examples=300)
@given(spoilt())
def test_any_data_plans_or_is_refused_in_words(lab: Any) -> None:
    text = yaml.safe_dump({"config": {"stacklab:lab": lab}})
    problems: tuple[Problem, ...] = ()
    machines: tuple[Machine, ...] = ()
    try:
        machines = plan(parse(lab, KNOWN, text=text), "dev").machines
    except StackProblemsError as error:
        problems = error.problems
    assert bool(machines) != bool(problems)
    assert all(problem.what and problem.line for problem in problems)
