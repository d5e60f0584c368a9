"""The class's lock: real processes, also killed ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modules.base.errors import StacklabError
from modules.classroom import lock

HOLD = """
import sys
from modules.classroom import lock
with lock.hold('cka'):
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))


def other() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_who_comes_second_is_told_who_holds_it() -> None:
    process = other()
    try:
        with pytest.raises(StacklabError, match=f"process {process.pid}") as caught, lock.hold("cka"):
            pass
        assert "since" in caught.value.what
        assert f"process {process.pid}" in lock.held("cka")
        with lock.hold("another-class"):
            pass
    finally:
        process.kill()
        process.communicate()


def test_a_killed_holder_holds_nothing() -> None:
    process = other()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert lock.held("cka") == ""
    with lock.hold("cka"):
        assert f"process {os.getpid()}" in lock.holder("cka")
    assert lock.holder("cka") == ""


def test_a_class_that_was_never_touched_is_held_by_nobody() -> None:
    assert lock.held("never") == ""
