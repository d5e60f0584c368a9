"""What people see of an error."""

from __future__ import annotations

from modules.base.errors import StacklabError


def test_an_error_in_one_line() -> None:
    assert StacklabError("it broke").in_one_line() == "it broke"
    assert StacklabError("it broke", output="one\n two \n\n").in_one_line() == "it broke: two"
