"""The one door to other programs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from modules.base.errors import CommandError
from modules.base.probe import Answer, wait_for
from modules.base.shell import paste, run


def test_both_streams_and_the_input_arrive() -> None:
    done = run(["sh", "-c", "cat; echo problem >&2"], timeout=10, stdin="hello")
    assert (done.code, done.stdout, done.stderr) == (0, "hello", "problem\n")


def test_a_failure_carries_status_command_and_last_lines() -> None:
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "seq 1 40; exit 3"], timeout=10, where="worker-1", hint="stacklab doctor", env={"MODE": "a b"})
    error = caught.value
    assert error.code == 3
    shown = str(error).splitlines()
    assert shown[0] == "worker-1: sh failed with exit status 3"
    assert shown[1] == "  command: MODE='a b' sh -c 'seq 1 40; exit 3'"
    assert shown[-2:] == ["    40", "  next: stacklab doctor"]
    assert "    25" not in shown


def test_a_failure_that_was_expected_is_returned() -> None:
    assert run(["false"], timeout=10, check=False).code == 1


def test_a_late_program_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(CommandError, match="stopped after 1 s"):
        run(["sh", "-c", f"sleep 600 & echo $! > {pid}; wait"], timeout=1)
    state = Path(f"/proc/{int(pid.read_text())}/stat")

    def ended() -> Answer[bool]:
        seen = state.read_text().split()[2] if state.exists() else "Z"
        return Answer(seen == "Z" or None, f"state {seen}")

    wait_for("what it started has ended", ended, timeout=10)


def test_a_missing_program_says_so() -> None:
    with pytest.raises(CommandError, match="no-such-program is not installed"):
        run(["no-such-program"], timeout=10)


def test_a_program_ended_by_a_signal_says_which() -> None:
    with pytest.raises(CommandError, match="ended by signal 9"):
        run(["sh", "-c", "kill -9 $$"], timeout=10)


def test_secrets_are_hidden_in_errors_and_lines() -> None:
    lines: list[str] = []
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "echo token=s3cret; exit 1"], timeout=10, redact=["s3cret"], on_line=lines.append)
    assert "s3cret" not in str(caught.value)
    assert lines == ["token=[secret]"]


def test_what_is_pasted_shows_only_variables_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAME", "1")
    assert paste(["kind", "get", "clusters"], env={**os.environ, "MORE": "x y"}) == "MORE='x y' kind get clusters"


def test_errors_survive_a_pickle() -> None:
    error = CommandError("failed", code=4, command="x", output="y", where="here")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), again.code) == (CommandError, str(error), 4)
