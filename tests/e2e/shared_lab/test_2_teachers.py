"""Two teachers, a checkout each, one class: its state is in a PostgreSQL database that both log in to."""

from __future__ import annotations

import base64
import contextlib
import getpass
import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from modules.base.probe import Answer, wait_for
from tests.support import classes, postgres
from tests.support.labs import Lab
from tests.support.postgres import Postgres
from tests.support.project import CHECKOUT, Project

CLASS = "both"
STUDENTS = ("s01", "s02")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="module")
def ada(project: Project, shared: Lab, server: Postgres) -> Iterator[Project]:
    """She moves the shared lab's state into the database, and takes the class down in the end."""
    made = teacher("ada", project, server)
    file = made.folder / "shared.json"
    project.pulumi("stack", "export", "--file", str(file), stack=shared.stack).ok()
    made.init(shared.stack)
    made.pulumi("stack", "import", "--file", str(file), stack=shared.stack).ok()
    yield made
    made.run("stacklab", "class", "down", CLASS, timeout=240).ok()
    shutil.rmtree(made.folder)


@pytest.fixture(scope="module")
def alan(project: Project, ada: Project, server: Postgres) -> Iterator[Project]:
    made = teacher("alan", project, server)
    yield made
    shutil.rmtree(made.folder)


def teacher(name: str, project: Project, server: Postgres) -> Project:
    """A checkout with the files that Git brings and the passphrase of the others, logged in to the database."""
    passphrase = {"PULUMI_CONFIG_PASSPHRASE_FILE": project.env["PULUMI_CONFIG_PASSPHRASE_FILE"]}
    folder = CHECKOUT / ".stacklab" / f"e2e-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    made = Project.bare(folder, {**passphrase, **server.env})
    made.prepare()
    made.run("pulumi", "login", server.url).ok()
    shutil.copy(project.stack_file(classes.SHARED), made.stack_file(classes.SHARED))
    classes.write(made, CLASS, STUDENTS, limits={"parallel": 1})
    return made


def states(of: Project) -> list[str]:
    shown = of.run("sh", "-c", f"exec stacklab class status {CLASS} --json 2>/dev/null")
    return [row["state"] for row in json.loads(shown.output)["students"]]


def at_work(server: Postgres) -> int | None:
    """The process of an update of ours that holds a lock; looking for stacks and making them take shorter ones."""
    locks = "select convert_from(decode(data->>'data', 'base64'), 'UTF8') from pulumi_state where key like '%/locks/%'"
    for row in server.rows(locks):
        pid = int(json.loads(row)["pid"])
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if "up" in words:
            return pid
    return None


def command_lines() -> str:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                found.append((process / "cmdline").read_text(errors="replace"))
            except OSError:  # it has ended meanwhile
                continue
    return "\n".join(found)


def test_the_second_teacher_is_told_who_is_at_work(ada: Project, alan: Project, server: Postgres) -> None:
    running = ada.start("stacklab", "class", "up", CLASS)
    try:
        pid = wait_for("the first update holds its lock", lambda: Answer(at_work(server), "no lock"), timeout=60)
        os.kill(pid, signal.SIGSTOP)  # at work for as long as we look
        try:
            second = alan.run("stacklab", "class", "up", CLASS, timeout=200)
            said = command_lines()
        finally:
            os.kill(pid, signal.SIGCONT)
    finally:
        first, _ = running.communicate(timeout=200)
    assert running.returncode == 0, first
    assert second.code == 1, second.output
    who = re.escape(f"{getpass.getuser()} on {socket.gethostname()} (process {pid})")
    told = rf"{CLASS}-s01: somebody else is changing this lab: {who}, since [0-9-]{{10}} [0-9:]{{8}}\n"
    assert re.search(told, second.output), second.output
    assert f"pulumi cancel {CLASS}-s01" in second.output
    assert "1 of 2 up" in second.output, "nobody keeps the second teacher from the other student"
    assert server.password not in first + second.output + said


def test_both_see_the_same_state(ada: Project, alan: Project) -> None:
    assert states(ada) == states(alan) == ["up", "up"]
    alan.run("stacklab", "class", "verify", CLASS, timeout=120).ok()
    assert alan.outputs(f"{CLASS}-s01") == ada.outputs(f"{CLASS}-s01")


def test_no_secret_is_kept_in_clear(ada: Project, alan: Project, shared: Lab, server: Postgres) -> None:
    own = alan.pulumi("stack", "output", "kubeconfig", "--show-secrets", stack=f"{CLASS}-s01").ok().output
    token = yaml.safe_load(own)["users"][0]["user"]["token"]
    admin = yaml.safe_load(Path(shared.outputs()["kubeconfigFile"]).read_text())["users"][0]["user"]
    key = admin["client-key-data"]
    kept = server.everything()
    assert f"{CLASS}-s01" in kept, "what is not secret is found, so the rest would be"
    for secret in (token, base64.b64encode(token.encode()).decode(), key, base64.b64decode(key).decode()):
        assert secret not in kept
    for folder in (ada.folder, alan.folder):
        assert list(files_with(folder / ".stacklab", server.password)) == []


def files_with(folder: Path, secret: str) -> Iterator[Path]:
    """Files that hold it; one that goes while we look holds nothing any more."""
    for file in folder.rglob("*"):
        if "plugins" in file.parts or not file.is_file():
            continue
        with contextlib.suppress(FileNotFoundError):
            if secret.encode() in file.read_bytes():
                yield file


def test_what_one_made_the_other_removes(ada: Project, alan: Project, shared: Lab) -> None:
    classes.write(alan, CLASS, STUDENTS)  # no limit: both at a time
    alan.run("stacklab", "class", "down", CLASS, timeout=240).ok()
    assert shared.get("namespaces", "-l", f"stacklab.io/class={CLASS}")["items"] == []
    assert states(ada) == ["not made", "not made"]
