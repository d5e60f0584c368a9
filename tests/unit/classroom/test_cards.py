"""Handing out: accounts in a cluster, folders with modes, one page of all, and what never leaves them."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from modules import artifacts, pulumi_home
from modules.base import paths
from modules.base.errors import OwnershipError, ProbeTimeoutError, StacklabError
from modules.classroom import access, card, credentials, folder
from modules.classroom.cards import Desk, Row
from modules.classroom.model import Student
from modules.cli import main as entry
from modules.verify.kubectl import Kubectl
from tests.unit.classroom.cluster_fake import Cluster, admin_file
from tests.unit.classroom.conftest import Make

SECRET = "not-to-be-seen"  # noqa: S105 - a part of every token of the fake
OUTPUTS: dict[str, Any] = {
    "kubeconfig": "[secret]",
    "machines": [{"name": "m", "role": "master", "address": "10.208.1.11", "ssh": ""}],
    "exposures": [{"app": "kubia", "kind": "nodeport", "url": "http://10.208.1.11:30080/", "host": "", "address": ""}],
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    return Cluster(tmp_path / "fake")


def outputs(stack: str) -> dict[str, Any]:
    if not paths.lab(stack).exists() and stack != "shared":
        raise StacklabError(f"no lab of this name is up: {stack}")
    return OUTPUTS


@pytest.fixture
def desk(make: Make, cluster: Cluster) -> Desk:
    for one in ("s01", "s02"):
        admin_file(paths.lab(f"cka-{one}") / "kubeconfig")
    return Desk(make(roster=[{"id": "s01", "name": "Ada"}, {"id": "s02"}, {"id": "s03"}]), cluster.kubectl, outputs)


def student(desk: Desk, one: str) -> Student:
    return next(each for each in desk.made.spec.students if each.id == one)


def give(desk: Desk, one: str) -> Row:
    return desk.give(student(desk, one))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# -- one student ------------------------------------------------------------------------------------------------------


def test_an_account_of_the_students_own(desk: Desk, cluster: Cluster) -> None:
    row = give(desk, "s01")
    assert (row.ok, row.note, row.url) == (True, "", "http://10.208.1.11:30080/")
    assert cluster.objects == {
        "Namespace//stacklab-access",
        "ServiceAccount/stacklab-access/s01",
        "Secret/stacklab-access/s01-token",
        "ClusterRoleBinding//stacklab-access-s01",
    }
    for obj in cluster.state["objects"].values():
        assert obj["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "stacklab"
    (apply,) = [args for args, _ in cluster.calls if "apply" in args]
    assert {"--server-side", "--field-manager=stacklab-cards"} <= set(apply)
    text = (Path(row.folder) / "kubeconfig").read_text()
    document = yaml.safe_load(text)
    assert document["users"] == [{"name": "s01", "user": {"token": f"token-1-{SECRET}"}}]
    assert document["clusters"][0]["cluster"]["server"] == "https://10.208.1.11:6443"
    assert "the teacher's key" not in text


def test_only_the_owner_sees_it(desk: Desk) -> None:
    inside = Path(give(desk, "s01").folder)
    assert {path.name: mode(path) for path in inside.iterdir()} == {"kubeconfig": 0o600, "card.html": 0o600}
    assert (mode(inside), mode(inside.parent)) == (0o700, 0o700)


def test_a_folder_that_was_open_is_closed_before_anything_is_in_it(desk: Desk) -> None:
    inside = folder.student(desk.made.file, "s01")
    inside.mkdir(parents=True, mode=0o755)
    (inside / "kubeconfig").write_text("old")
    (inside / "kubeconfig").chmod(0o644)
    give(desk, "s01")
    assert (mode(inside), mode(inside / "kubeconfig")) == (0o700, 0o600)


def test_the_same_again_gives_the_same(desk: Desk) -> None:
    before = Path(give(desk, "s01").folder, "kubeconfig").read_text()
    assert Path(give(desk, "s01").folder, "kubeconfig").read_text() == before


def test_whose_lab_is_not_up_says_so_and_others_go_on(desk: Desk, cluster: Cluster) -> None:
    rows = []
    for one in desk.made.spec.students:
        cluster.empty()
        rows.append(desk.give(one))
    assert [row.ok for row in rows] == [True, True, False]
    assert "no lab of this name is up" in rows[2].note
    assert not folder.student(desk.made.file, "s03").exists()
    cluster.fault("down")
    silent = give(desk, "s01")
    assert "Unable to connect" in silent.note
    assert silent.ok is False


def test_a_share_of_a_lab_keeps_its_account_and_its_namespace(make: Make, cluster: Cluster) -> None:
    admin_file(paths.lab("shared") / "kubeconfig")
    paths.lab("cka-s01").mkdir(parents=True)
    template = {"backend": "kind", "addons": ["calico", "metallb", "traefik"]}
    desk = Desk(make(tenancy="namespace", template_data=template), cluster.kubectl, outputs)
    row = give(desk, "s01")
    assert row.note == ""
    assert cluster.objects == {
        "ServiceAccount/cka-s01/student",
        "Secret/cka-s01/student-token",
        "RoleBinding/cka-s01/student",
    }
    document = yaml.safe_load((Path(row.folder) / "kubeconfig").read_text())
    assert document["contexts"][0]["context"]["namespace"] == "cka-s01"
    assert "kubectl get pods" in (Path(row.folder) / "card.html").read_text()


def test_a_strangers_object_is_left_alone(desk: Desk, cluster: Cluster) -> None:
    stranger = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": access.NAMESPACE}}
    cluster.put(stranger)
    row = give(desk, "s01")
    assert "not this student's" in row.note
    assert not [args for args, _ in cluster.calls if "apply" in args]
    account = desk.account("s01")
    other = desk.account("s02").objects[0]
    with pytest.raises(OwnershipError):
        account.check_owner([other])


def test_a_token_that_does_not_come(desk: Desk, cluster: Cluster) -> None:
    cluster.fault("slow")
    kubectl = Kubectl(cluster.kubectl, paths.lab("cka-s01") / "kubeconfig")
    with pytest.raises(ProbeTimeoutError, match="token is there") as caught:
        credentials.give(kubectl, desk.account("s01"), timeout=0.1)
    assert "has no token yet" in caught.value.output


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_a_token_is_in_the_kubeconfig_and_nowhere_else(
    desk: Desk, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="stacklab")
    row = give(desk, "s01")
    folder.bind(desk.made.file, "t", ["s01"])
    holding = [path.name for path in folder.of(desk.made.file).rglob("*") if path.is_file() and SECRET in _text(path)]
    assert holding == ["kubeconfig"]
    assert SECRET not in repr(row)
    assert SECRET not in caplog.text
    assert not any(SECRET in word for args, _ in cluster.calls for word in args)


def test_no_error_tells_a_token(desk: Desk, cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="stacklab")
    inside = Path(give(desk, "s01").folder)
    cluster.fault("down")  # says the token on both streams
    teacher = Kubectl(cluster.kubectl, paths.lab("cka-s01") / "kubeconfig")
    with pytest.raises(StacklabError) as caught:
        credentials._run(Kubectl(cluster.kubectl, inside / "kubeconfig"), "get", "--raw", "/api")
    assert "[secret]" in str(caught.value)
    assert SECRET not in str(caught.value) + repr(caught.value.__dict__)
    with pytest.raises(StacklabError) as told:
        credentials._run(teacher, "get", "--filename=-", stdin='{"items": []}')
    assert SECRET not in str(told.value) + repr(told.value.__dict__)
    with pytest.raises(ProbeTimeoutError) as late:
        credentials.prove_refused(cluster.kubectl, inside / "kubeconfig", where="w", timeout=0.1)
    assert SECRET not in str(late.value) + repr(late.value.__dict__)
    assert SECRET not in caplog.text


def test_what_a_call_printed_before_its_time_was_over_is_not_told(tmp_path: Path) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\necho {SECRET}\nexec sleep 20\n")
    program.chmod(0o755)
    with pytest.raises(StacklabError, match="was stopped") as caught:
        credentials._call(Kubectl(program, tmp_path / "none"), "get", "x", timeout=0.5)
    assert SECRET not in str(caught.value)


# -- the folder -------------------------------------------------------------------------------------------------------


def test_one_page_has_all_cards_in_the_rosters_order(desk: Desk, cluster: Cluster) -> None:
    for one in ("s02", "s01"):
        cluster.empty()
        assert give(desk, one).ok
    page = folder.bind(desk.made.file, "t", ["s01", "s02", "s03"])
    assert page is not None
    text = page.read_text()
    assert text.count("<article>") == 2
    assert text.index("cka-s01") < text.index("cka-s02")
    assert mode(page) == 0o600
    folder.remove(desk.made.file, "s01")
    folder.bind(desk.made.file, "t", ["s01", "s02", "s03"])
    assert page.read_text().count("<article>") == 1
    folder.remove(desk.made.file, "s02")
    assert folder.bind(desk.made.file, "t", []) is None
    assert not folder.of(desk.made.file).exists()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "kubeconfig"
    folder.write(target, "before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StacklabError, match="No space left"):
        folder.write(target, f"after {SECRET}")
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["kubeconfig"]


def test_git_does_not_see_it() -> None:
    lines = (Path(__file__).parents[3] / ".gitignore").read_text().splitlines()
    assert "/classes/*.cards/" in lines


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(make: Make, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(artifacts, "binary", lambda name: cluster.kubectl)
    monkeypatch.setattr(pulumi_home, "stack_outputs", outputs)
    make(roster=[{"id": "s01", "name": "Ada"}, {"id": "s02"}])
    admin_file(paths.lab("cka-s01") / "kubeconfig")
    return cluster


def test_the_command(shell: Cluster) -> None:
    ran = CliRunner().invoke(entry.build(), ["class", "cards", "cka"])
    assert ran.exit_code == 1, ran.output
    assert "no lab of this name is up: cka-s02" in ran.stdout
    assert "1 of 2 cards" in ran.stdout
    assert SECRET not in ran.output
    one = CliRunner().invoke(entry.build(), ["class", "cards", "cka", "--only", "s01", "--json"])
    assert one.exit_code == 0, one.output
    found = json.loads(one.stdout)
    assert [row["ok"] for row in found["students"]] == [True]
    assert card.BEGIN in Path(found["page"]).read_text()
    assert SECRET not in one.output


def test_a_class_that_is_over_gets_no_cards(shell: Cluster, make: Make) -> None:
    make(expires="2020-01-01")
    ran = CliRunner().invoke(entry.build(), ["class", "cards", "cka"])
    assert "over since 2020-01-01" in str(ran.exception)
    assert shell.calls == []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
