"""The table of countries and how a file's own entries override it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from modules.topology.mirrors import COUNTRIES, KUBERNETES, effective
from modules.topology.model import Mirrors
from modules.topology.parse import parse
from modules.topology.problem import StackProblemsError
from tests.unit.topology.small import KNOWN

CN = COUNTRIES["cn"]


def test_every_country_that_can_be_written_is_in_the_table() -> None:
    words = get_args(Mirrors.model_fields["country"].annotation)
    assert set(words) == {"none", *COUNTRIES}
    for country, mirrors in COUNTRIES.items():
        assert mirrors.country == country
        assert mirrors.images
        assert mirrors.binaries
        assert mirrors.registries


@pytest.mark.parametrize("own", [{}, {"images": "a.example"}, {"registries": {"docker.io": "a.example"}}])
def test_without_a_country_there_is_what_is_written(own: dict[str, Any]) -> None:
    assert effective(Mirrors(**own)) == Mirrors(**own)


@pytest.mark.parametrize(
    ("own", "changed"),
    [
        ({}, {}),
        ({"binaries": "https://a.example/b"}, {"binaries": "https://a.example/b"}),
        ({"registries": {"docker.io": "a"}}, {"registries": {**CN.registries, "docker.io": "a"}}),
        ({"registries": {"other.io": "a"}}, {"registries": {**CN.registries, "other.io": "a"}}),
        ({"registries": {KUBERNETES: "a"}}, {"images": None, "registries": {**CN.registries, KUBERNETES: "a"}}),
        (
            {"images": "a.example"},
            {"images": "a.example", "registries": {k: v for k, v in CN.registries.items() if k != KUBERNETES}},
        ),
    ],
)
def test_own_entries_override_single_ones_of_the_country(own: dict[str, Any], changed: dict[str, Any]) -> None:
    assert effective(Mirrors(country="cn", **own)) == CN.model_copy(update=changed)


def test_an_unknown_country_is_told_once_with_its_place_and_what_is_allowed() -> None:
    with pytest.raises(StackProblemsError) as caught:
        parse({"backend": "kind", "mirrors": {"country": "CN"}}, KNOWN)
    [problem] = caught.value.problems
    assert (problem.path, problem.found, problem.allowed) == (("mirrors", "country"), "CN", "none or cn")
    assert problem.hint == "cn"
