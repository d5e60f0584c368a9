"""Taking back: what was handed out is refused, and that is seen before anything is removed here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modules.base import paths
from modules.base.errors import ProbeTimeoutError
from modules.base.probe import wait_for
from modules.classroom import credentials, folder, ssh_access
from modules.classroom.cards import Desk
from modules.cli import main as entry
from modules.machines.login import Login
from modules.machines.remote import Remote, close_all
from tests.support import sshd
from tests.unit.classroom.cluster_fake import Cluster
from tests.unit.classroom.test_cards import SECRET, cluster, desk, give, shell

__all__ = ["cluster", "desk", "shell"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def soon(*args: object, **options: object) -> object:
        return wait_for(*args, **{**options, "timeout": 0.3, "every": 0.05})  # type: ignore[arg-type]

    monkeypatch.setattr(credentials, "wait_for", soon)


def test_the_token_is_refused_and_everything_is_gone(desk: Desk, cluster: Cluster, tmp_path: Path) -> None:
    inside = Path(give(desk, "s01").folder)
    kept = shutil.copy(inside / "kubeconfig", tmp_path / "kept")
    row = desk.revoke("s01")
    assert (row.ok, row.note, row.name) == (True, "the token is refused", "Ada")
    assert cluster.objects == {"Namespace//stacklab-access"}
    assert not inside.exists()
    credentials.prove_refused(cluster.kubectl, Path(kept), where="w")
    # The proof was asked for with the student's own kubeconfig, after the deletion.
    verbs = [("delete" in args, str(inside) in " ".join(args)) for args, _ in cluster.calls]
    assert verbs.index((True, False)) < verbs.index((False, True))


def test_rights_go_before_the_account(desk: Desk) -> None:
    kinds = [obj["kind"] for obj in desk.account("s01").taken]
    assert kinds == ["ClusterRoleBinding", "Secret", "ServiceAccount"]


def test_a_token_that_is_still_accepted_is_an_error_and_stays_to_be_tried_again(desk: Desk, cluster: Cluster) -> None:
    inside = Path(give(desk, "s01").folder)
    cluster.fault("accepts")
    row = desk.revoke("s01")
    assert row.ok is False
    assert "the API still accepts the student's token" in row.note
    assert (inside / "kubeconfig").exists()
    cluster.fault()
    assert desk.revoke("s01").ok
    assert not inside.exists()


def test_an_api_that_is_silent_proves_nothing(desk: Desk, cluster: Cluster) -> None:
    inside = Path(give(desk, "s01").folder)
    cluster.fault("down")
    with pytest.raises(ProbeTimeoutError, match="is refused"):
        credentials.prove_refused(cluster.kubectl, inside / "kubeconfig", where="w")
    row = desk.revoke("s01")
    assert row.ok is False
    assert SECRET not in repr(row)
    assert inside.exists()


def test_new_cards_have_a_new_token_and_the_old_one_stays_useless(desk: Desk, cluster: Cluster, tmp_path: Path) -> None:
    old = shutil.copy(Path(give(desk, "s01").folder) / "kubeconfig", tmp_path / "old")
    desk.revoke("s01")
    new = Path(give(desk, "s01").folder) / "kubeconfig"
    assert new.read_text() != Path(old).read_text()
    credentials.prove_refused(cluster.kubectl, Path(old), where="w")
    with pytest.raises(ProbeTimeoutError):
        credentials.prove_refused(cluster.kubectl, new, where="w")


def test_what_another_checkout_handed_out_is_proven_too(desk: Desk, cluster: Cluster) -> None:
    give(desk, "s01")
    folder.remove(desk.made.file, "s01")
    row = desk.revoke("s01")
    assert row.note == "the token is refused"
    assert [args for args, _ in cluster.calls if "/api" in args]
    assert not folder.student(desk.made.file, "s01").exists()


def test_who_has_nothing_and_whose_lab_is_gone(desk: Desk) -> None:
    assert desk.revoke("s02").note == "there were no credentials"
    inside = Path(give(desk, "s01").folder)
    shutil.rmtree(paths.lab("cka-s01"))
    row = desk.revoke("s01")
    assert (row.ok, row.note) == (True, "the lab is gone, and the credentials with it")
    assert not inside.exists()


def test_a_strangers_account_is_not_deleted(desk: Desk, cluster: Cluster) -> None:
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "s01", "namespace": "stacklab-access"},
    }
    cluster.put(account)
    row = desk.revoke("s01")
    assert "not this student's" in row.note
    assert cluster.objects == {"ServiceAccount/stacklab-access/s01"}


def test_the_command(shell: Cluster) -> None:
    app = entry.build()
    assert CliRunner().invoke(app, ["class", "cards", "cka", "--only", "s01"]).exit_code == 0
    unknown = CliRunner().invoke(app, ["class", "revoke", "cka", "s1"])
    assert "there is no such student: s1" in str(unknown.exception)
    shell.fault("accepts")
    bad = CliRunner().invoke(app, ["class", "revoke", "cka", "s01"])
    assert bad.exit_code == 1
    shell.fault()
    ran = CliRunner().invoke(app, ["class", "revoke", "cka", "s01", "--json"])
    assert ran.exit_code == 0, ran.output
    assert [row["ok"] for row in json.loads(ran.stdout)["students"]] == [True]
    assert SECRET not in ran.output + bad.output
    assert not (paths.checkout() / "classes" / "cka.cards").exists()


# -- machines ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[sshd.Server]:
    with sshd.server() as one:
        yield one


def test_a_key_of_the_students_own_is_let_in_and_shut_out(server: sshd.Server, tmp_path: Path) -> None:
    login, accepted = server.login(), str(server.folder / "authorized")
    mode = (server.folder / "authorized").stat().st_mode
    before = (server.folder / "authorized").read_text()
    public = ssh_access.make_key(tmp_path, "cka-s01")
    assert (tmp_path / "id_ed25519").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["id_ed25519"]
    assert ssh_access.make_key(tmp_path, "cka-s01") == public
    theirs = Remote(Login("m1", login.address, tmp_path / "id_ed25519", login.known_hosts, port=login.port))
    try:
        for _ in range(2):
            ssh_access.let_in([login], public, "cka-s01", authorized=accepted)
        ssh_access.let_in([login], public.replace("s01", "s011"), "cka-s011", authorized=accepted)
        assert (server.folder / "authorized").read_text().count(public.split()[1]) == 2
        assert theirs.answers()
        with pytest.raises(ProbeTimeoutError, match="SSH key is refused") as caught:
            ssh_access.prove_refused([login], tmp_path, timeout=0.1)
        assert "still accepts" in caught.value.output
        # A connection that is open stays open; it must not answer for the key.
        assert theirs.answers()
        ssh_access.shut_out([login], "cka-s011", authorized=accepted)
        ssh_access.shut_out([login], "cka-s01", authorized=accepted)
        ssh_access.prove_refused([login], tmp_path, timeout=5)
        assert (server.folder / "authorized").read_text() == before
        assert (server.folder / "authorized").stat().st_mode == mode
        assert Remote(login).answers()
    finally:
        close_all(login.known_hosts)


def test_a_config_for_any_folder() -> None:
    login = Login(
        "m.example.org", "10.208.1.11", Path("/lab/ssh/id_ed25519"), Path("/lab/ssh/known_hosts"), jump="lab-1"
    )
    text = ssh_access.config([login])
    assert 'IdentityFile "id_ed25519"' in text
    assert 'UserKnownHostsFile "known_hosts"' in text
    assert "ProxyJump lab-1" in text
    assert "/lab/" not in text
