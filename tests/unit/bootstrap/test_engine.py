"""Looking and applying against a real SSH server, with small steps; and the frames around probes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from modules.base.errors import CommandError, StacklabError
from modules.bootstrap import engine
from modules.bootstrap.step import Action, Run, Step, Upload, Write
from modules.machines.remote import Remote, close_all
from tests.support import sshd


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    with sshd.server() as server:
        yield Remote(server.login())
        close_all(server.login().known_hosts)


def file_step(path: Path, text: str, name: str = "file") -> Step:
    def difference(printed: str) -> Sequence[Action]:
        return () if printed == text else (Write("it is another one", str(path), text),)

    return Step(name, f"cat {path} 2>/dev/null", difference, undo=f"rm -f {path}")


def test_probes_cannot_reach_each_other() -> None:
    odd = [
        Step("ends", "echo one; exit 3", lambda _: ()),
        Step("reads", "cat; echo two", lambda _: ()),
        Step("sets", "cd /; x=1; set -e; false; echo never", lambda _: ()),
        Step("quotes", """printf '%s' "it's  \\"x\\"" """, lambda _: ()),
        Step("nothing", "", lambda _: ()),
    ]
    import subprocess

    script = engine.probes(odd, "mark")
    said = subprocess.run(["sh"], input=script, text=True, capture_output=True, check=True).stdout
    assert engine.answers(said, "mark", odd, "m1") == ["one\n", "two\n", "", 'it\'s  "x"', ""]


def test_a_probe_that_gives_no_answer_is_an_error() -> None:
    with pytest.raises(StacklabError, match="step b gave no answer"):
        engine.answers("m 0\nx\nm end\nm 1\n", "m", [Step("a", "", len), Step("b", "", len)], "m1")  # type: ignore[arg-type]


def test_one_look_is_one_call(remote: Remote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[str] = []
    whole: Callable[..., object] = remote.run

    def run(script: str, **kw: object) -> object:
        calls.append(script)
        return whole(script, **kw)

    monkeypatch.setattr(remote, "run", run)
    found = engine.look(remote, [file_step(tmp_path / "a", "x"), file_step(tmp_path / "b", "")])
    assert [bool(one.actions) for one in found] == [True, False]
    assert len(calls) == 1
    assert engine.look(remote, ()) == ()


def test_apply_does_what_differs_and_says_so(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("abc")
    upload = Step(
        "brought",
        f"wc -c <{tmp_path}/target",
        lambda printed: (
            () if printed.strip() == "3" else (Upload("missing", tmp_path / "source", f"{tmp_path}/target"),)
        ),
    )
    script = f"touch {tmp_path}/ran; echo done"
    run = Step(
        "ran", f"ls {tmp_path}/ran 2>/dev/null", lambda p: () if p else (Run("", "true"), Run("not yet", script))
    )
    steps = [file_step(tmp_path / "a", "x\n"), upload, run]
    assert engine.describe(engine.look(remote, steps)) == [
        f"file: it is another one (writes {tmp_path}/a)",
        f"brought: missing (uploads {tmp_path}/target, 0.0 MB)",
        "ran: not yet (runs a script)",
    ]
    said: list[str] = []
    engine.apply(remote, steps, said.append)
    assert said == ["m1: file: it is another one", "m1: brought: missing", "m1: ran: not yet", "m1: | done"]
    assert engine.describe(engine.look(remote, steps)) == []
    engine.apply(remote, steps, said.append)
    assert len(said) == 4
    engine.undo(remote, steps, said.append)
    assert not (tmp_path / "a").exists()


def test_work_that_one_step_makes_for_another_is_done(remote: Remote, tmp_path: Path) -> None:
    """In both directions of the list: a restart that is owed stands before what it is owed for, or after it."""

    def restart(name: str) -> Step:
        script = f"rm {tmp_path}/owed-{name}"
        return Step(name, f"ls {tmp_path}/owed-{name} 2>/dev/null", lambda p: (Run("owed", script),) if p else ())

    script = f"touch {tmp_path}/owed-before {tmp_path}/owed-after {tmp_path}/new"
    change = Step("change", f"ls {tmp_path}/new 2>/dev/null", lambda p: () if p else (Run("old", script),))
    said: list[str] = []
    engine.apply(remote, [restart("before"), change, restart("after")], said.append)
    assert said == ["m1: change: old", "m1: before: owed", "m1: after: owed"]
    assert [file.name for file in tmp_path.iterdir()] == ["new"]


def test_a_difference_that_stays_is_an_error(remote: Remote) -> None:
    step = Step("stubborn", "echo still wrong", lambda _: (Run("it is wrong", "true"),))
    with pytest.raises(
        StacklabError, match="step stubborn was done and the machine still differs: it is wrong"
    ) as caught:
        engine.apply(remote, [step], lambda _: None)
    assert (caught.value.where, caught.value.output) == ("m1", "still wrong\n")


def test_a_failing_action_names_its_step_and_stops(remote: Remote, tmp_path: Path) -> None:
    secret = "s3cr3t"  # noqa: S105
    first = Step("first", "", lambda _: (Run("why so", f"false {secret}; touch {tmp_path}/on", redact=(secret,)),))
    with pytest.raises(CommandError, match=r"step first \(why so\): .*exit status 1") as caught:
        engine.apply(remote, [first, file_step(tmp_path / "later", "x")], lambda _: None)
    assert secret not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
