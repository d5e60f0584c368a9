"""This machine's own package sources, whichever way they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.artifacts.images import sources_list
from modules.base.errors import ArtifactError

DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb-src
URIs: http://mirror.test/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main

Types: deb deb-src
URIs: http://security.test/
Suites: bookworm-security
Components: main
 contrib
"""
ONE_LINE = """\
# deb http://commented.test/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg]  http://mirror.test/debian  bookworm main # why
deb-src http://mirror.test/debian bookworm main
deb http://vendor.test/apt stable main
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    return tmp_path


def test_one_stanza_becomes_a_line_per_suite() -> None:
    assert sources_list.parse(DEB822, ".sources") == [
        "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.test/debian bookworm main",
        "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.test/debian bookworm-updates main",
        "deb http://security.test/ bookworm-security main contrib",
    ]


def test_only_the_release_of_this_machine_counts(machine: Path) -> None:
    (machine / "sources.list").write_text(ONE_LINE)
    (machine / "sources.list.d" / "other.list").write_text("deb http://vendor.test/cloud cloud-bookworm main\n")
    (machine / "sources.list.d" / "old.list.save").write_text("deb http://saved.test/debian bookworm main\n")
    found = sources_list.read(machine, machine / "os-release")
    assert found.suite == "bookworm"
    assert found.lines == ("deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main",)


def test_a_machine_without_any_is_told_what_to_do(machine: Path) -> None:
    with pytest.raises(ArtifactError, match="Debian or Ubuntu"):
        sources_list.read(machine, machine / "os-release")
