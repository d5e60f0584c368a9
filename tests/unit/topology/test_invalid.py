"""Every kind of mistake with the very text people see. UPDATE_GOLDEN=1 rewrites the texts: read the difference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modules.topology.parse import load
from modules.topology.problem import StackProblemsError
from tests.unit.topology.small import KNOWN

CASES = sorted((Path(__file__).parent / "data" / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_message_of_a_wrong_file(file: Path) -> None:
    with pytest.raises(StackProblemsError) as caught:
        load(file, KNOWN)
    message = str(caught.value).replace(str(file), file.name) + "\n"
    golden = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(message)
    assert message == golden.read_text()


def test_the_table_is_large_and_has_no_stray_text() -> None:
    texts = {file.stem for file in CASES[0].parent.glob("*.txt")}
    assert len(CASES) >= 45
    assert texts == {file.stem for file in CASES}


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_every_problem_says_where_and_what_is_allowed_or_how_to_mend_it(file: Path) -> None:
    with pytest.raises(StackProblemsError) as caught:
        load(file, KNOWN)
    for problem in caught.value.problems:
        assert problem.line is not None
        assert problem.what
        assert problem.allowed or problem.hint
    assert "Traceback" not in str(caught.value)
