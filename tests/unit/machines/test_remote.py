"""One machine over SSH, against a real server on loopback."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread, Timer

import pytest

from modules.base.errors import CommandError, OwnershipError
from modules.base.probe import Answer, wait_for
from modules.machines import command
from modules.machines.remote import Remote, UnreachableError, close_all
from tests.support import sshd


@pytest.fixture(scope="module")
def server() -> Iterator[sshd.Server]:
    with sshd.server() as one:
        yield one


@pytest.fixture
def remote(server: sshd.Server) -> Iterator[Remote]:
    login = server.login()
    yield Remote(login)
    close_all(login.known_hosts)


def test_a_script_runs_as_root_and_sees_its_input(remote: Remote) -> None:
    found = remote.run("id -u\ncat\necho oops >&2\nexit 0", timeout=20, stdin="for the script\n")
    assert (found.stdout, found.stderr) == ("0\nfor the script\n", "oops\n")


def test_a_script_may_hold_anything_that_a_shell_understands(remote: Remote) -> None:
    script = """x='a "quoted" $word'\ncat <<'E'\nü 100% $x `no`\nE\nprintf '%s' "$x" | tr a-z A-Z"""
    assert remote.run(script, timeout=20).stdout == 'ü 100% $x `no`\nA "QUOTED" $WORD'


def test_scripts_and_input_are_in_no_list_of_processes(remote: Remote) -> None:
    secret = "s3cr3t-" + os.urandom(8).hex()
    found = remote.run(f"true {secret}; ps -eo args; cat >/dev/null", timeout=20, stdin=secret)
    assert "ssh" in found.stdout
    assert secret not in found.stdout


def test_a_failure_says_where_and_what_to_paste(remote: Remote) -> None:
    with pytest.raises(CommandError) as caught:
        remote.run("echo so far; echo bad >&2; exit 7", timeout=20, hint="do this")
    error = caught.value
    assert (error.code, error.where, error.hint) == (7, "m1", "do this")
    assert "so far" in error.output
    assert "bad" in error.output
    assert error.command.startswith("ssh -F none -i ")
    # What it offers does the same again.
    again = subprocess.run(["sh", "-c", error.command], capture_output=True, text=True, check=False, timeout=20)
    assert (again.returncode, again.stdout) == (7, "so far\n")


def test_secrets_are_in_no_error_and_no_line(remote: Remote) -> None:
    lines: list[str] = []
    with pytest.raises(CommandError) as caught:
        remote.run("echo token abc.def; false abc.def", timeout=20, redact=["abc.def"], on_line=lines.append)
    assert "abc.def" not in str(caught.value) + repr(caught.value.__dict__) + "".join(lines)
    assert lines == ["token [secret]"]


def test_an_exit_status_can_be_asked_for(remote: Remote) -> None:
    assert remote.run("exit 3", timeout=20, check=False).code == 3


def test_time_is_over_there_too(remote: Remote, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(CommandError, match="stopped after 1 s") as caught:
        remote.run(f"echo begun; sleep 30; touch {tmp_path}/late", timeout=1)
    assert time.monotonic() - started < 10
    assert "begun" in caught.value.output
    assert "sleep 30" not in remote.run("ps -eo args", timeout=20).stdout.replace("touch", "")


def test_one_connection_serves_all_calls(server: sshd.Server, remote: Remote) -> None:
    remote.run("true", timeout=20)
    assert command.socket(remote.login).is_socket()
    first = remote.run("echo $SSH_CONNECTION", timeout=20).stdout
    assert Remote(server.login()).run("echo $SSH_CONNECTION", timeout=20).stdout == first
    remote.close()
    assert not command.socket(remote.login).exists()
    assert remote.run("echo $SSH_CONNECTION", timeout=20).stdout != first


def test_close_all_ends_what_other_processes_opened(server: sshd.Server, remote: Remote) -> None:
    remote.run("true", timeout=20)
    close_all(remote.login.known_hosts)
    assert not command.sockets(remote.login.known_hosts).exists()

    def look() -> Answer[bool]:
        left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return Answer(None if str(command.sockets(remote.login.known_hosts)) in left else True, left)

    wait_for("no connection is left", look, timeout=10)  # one that was told to end has yet to do so
    close_all(remote.login.known_hosts)


def test_several_at_once(remote: Remote) -> None:
    said: list[str] = []
    threads = [
        Thread(target=lambda n=n: said.append(remote.run(f"sleep 0.2; echo {n}", timeout=20).stdout)) for n in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(said) == [f"{n}\n" for n in range(6)]


def test_a_cut_connection(server: sshd.Server, remote: Remote) -> None:
    remote.run("true", timeout=20)
    cutter = Timer(0.5, server.cut)
    cutter.start()
    with pytest.raises(UnreachableError, match="was cut") as caught:
        remote.run("echo begun; sleep 20", timeout=30)
    cutter.join()
    assert "goes on" in caught.value.hint
    assert remote.run("echo back", timeout=20).stdout == "back\n"


def test_nobody_there(server: sshd.Server) -> None:
    gone = Remote(server.login(port=1))
    with pytest.raises(UnreachableError, match=r"nobody answers SSH at 127\.0\.0\.1:1") as caught:
        gone.run("true", timeout=20)
    assert caught.value.where == "m1"
    assert not gone.answers()


def test_a_wrong_key(server: sshd.Server) -> None:
    with pytest.raises(UnreachableError, match="does not let root in") as caught:
        Remote(server.login(key=server.folder / "stranger")).run("true", timeout=20)
    assert "ssh-copy-id" in caught.value.hint


def test_a_key_that_is_not_there(server: sshd.Server) -> None:
    with pytest.raises(UnreachableError):
        Remote(server.login(key=server.folder / "none")).run("true", timeout=20)


def test_a_wrong_host_key(server: sshd.Server, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'other-host.pub').read_text()}")
    for accept_new in (False, True):
        with pytest.raises(UnreachableError, match="does not have the host key") as caught:
            Remote(server.login(known_hosts=known, accept_new=accept_new)).run("true", timeout=20)
        assert f"ssh-keygen -f {known} -R '[127.0.0.1]:{server.port}'" in caught.value.hint


def test_first_contact(server: sshd.Server, tmp_path: Path) -> None:
    known = tmp_path / "a folder" / "known_hosts"
    known.parent.mkdir()
    with pytest.raises(UnreachableError, match="host key"):
        Remote(server.login(known_hosts=known)).run("true", timeout=20)
    Remote(server.login(known_hosts=known, accept_new=True)).run("true", timeout=20)
    assert (server.folder / "host.pub").read_text().split()[1] in known.read_text()
    close_all(known)


def test_what_the_user_knows_already_counts(server: sshd.Server, tmp_path: Path) -> None:
    known, users = tmp_path / "lab" / "known_hosts", tmp_path / "users"
    known.parent.mkdir()
    users.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'other-host.pub').read_text()}")
    login = server.login(known_hosts=known, accept_new=True, also_known=(users,))
    with pytest.raises(UnreachableError, match="host key"):
        Remote(login).run("true", timeout=20)
    users.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'host.pub').read_text()}")
    assert Remote(login).run("echo in", timeout=20).stdout == "in\n"
    assert not known.exists()
    close_all(known)


def test_a_file_is_written_whole_and_read_back(remote: Remote, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "it's a file"
    assert remote.read(str(path)) is None
    remote.write(str(path), "ü\nsecret $x\n", 0o600)
    assert remote.read(str(path)) == "ü\nsecret $x\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o755
    remote.write(str(path), "other\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("other\n", 0o644)
    assert [one.name for one in path.parent.iterdir()] == ["it's a file"]


def test_a_file_that_something_is_mounted_on_can_be_written(server: sshd.Server, remote: Remote) -> None:
    """Container engines mount a file on /etc/hosts: it cannot be replaced."""
    remote.write("/etc/hosts", "127.0.0.1 localhost\n127.0.0.2 new\n")
    assert remote.read("/etc/hosts") == server.file("hosts").read_text() == "127.0.0.1 localhost\n127.0.0.2 new\n"


def test_a_full_disk_is_said_and_leaves_the_old_file(remote: Remote) -> None:
    room = "/mnt/stacklab-test"
    remote.run(f"mkdir -p {room}; mount -t tmpfs -o size=64k none {room}", timeout=20)
    try:
        remote.write(f"{room}/file", "old")
        with pytest.raises(CommandError, match="No space left") as caught:
            remote.write(f"{room}/file", "x" * 200_000)
        assert "disk" in caught.value.hint
        assert remote.read(f"{room}/file") == "old"
        assert remote.run(f"ls -A {room}", timeout=20).stdout == "file\n"
    finally:
        remote.run(f"umount {room}; rmdir {room}", timeout=20)


def test_a_big_upload(remote: Remote, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "there" / "target"
    block = os.urandom(1 << 20)
    with source.open("wb") as out:
        for _ in range(300):
            out.write(block)
    remote.upload(source, str(target), 0o755)
    assert target.stat().st_mode & 0o777 == 0o755
    assert _digest(target) == _digest(source)


def test_an_upload_that_is_cut_leaves_nothing(server: sshd.Server, remote: Remote, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as out:
        out.truncate(3_000_000_000)
    remote.run("true", timeout=20)
    cutter = Timer(0.3, server.cut)
    cutter.start()
    with pytest.raises(CommandError):
        remote.upload(source, str(target))
    cutter.join()
    remote.run("for i in $(seq 50); do pgrep -f stacklab-part >/dev/null || break; sleep 0.1; done", timeout=20)
    assert list(tmp_path.iterdir()) == [source]


def test_a_user_who_may_become_root(server: sshd.Server) -> None:
    remote = Remote(server.login("admin"))
    assert remote.run("id -u; cat", timeout=20, stdin="in\n").stdout == "0\nin\n"
    remote.write("/etc/hosts", "127.0.0.1 localhost\n")
    assert server.file("hosts").read_text() == "127.0.0.1 localhost\n"
    assert remote.answers()
    remote.close()


def test_a_user_who_may_not(server: sshd.Server) -> None:
    remote = Remote(server.login("guest"))
    with pytest.raises(CommandError, match="guest cannot become root") as caught:
        remote.run("true", timeout=20)
    assert "sudo" in caught.value.hint
    remote.close()


def test_a_strangers_folder_for_sockets_is_not_used(
    remote: Remote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setattr(command, "runtime", lambda: tmp_path / "open")
    with pytest.raises(OwnershipError, match="ours alone"):
        remote.run("true", timeout=20)


def test_paths_of_sockets_are_short(server: sshd.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/" + "x" * 90)
    long = replace(server.login(), known_hosts=Path("/" + "y" * 200) / "known_hosts", machine="m" * 63)
    assert len(str(command.socket(long))) < 80


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
