"""The lab's SSH files: made once, kept, put back, and enough for a login."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modules.base import shell
from modules.machines import keys
from modules.machines.login import Login
from modules.topology.model import LabSpec, MachineSpec, Ssh
from modules.topology.plan import LabPlan, plan

MACHINES = [("vms21.rhce.cc", "192.168.26.21"), ("vms22.rhce.cc", "192.168.26.22")]
NAMES = [name for name, _ in MACHINES]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))


def a_plan(backend: str, **changed: object) -> LabPlan:
    masters = (MachineSpec.model_validate({"name": "m1.example.com", "address": "192.168.26.21"}),)
    return plan(LabSpec.model_validate({"backend": backend, "masters": masters, "workers": 0, **changed}), "cka")


def texts(files: keys.SshFiles) -> dict[str, str]:
    return {str(f.relative_to(files.folder)): f.read_text() for f in files.folder.rglob("*") if f.is_file()}


def test_everything_is_there_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    files = keys.make("cka", MACHINES)
    assert files.folder == tmp_path / ".stacklab" / "labs" / "cka" / "ssh"
    assert set(texts(files)) == {
        "id_ed25519", "id_ed25519.pub", "known_hosts", "config",
        *(f"hosts/{name}{end}" for name in NAMES for end in ("", ".pub")),
    }  # fmt: skip
    assert files.folder.stat().st_mode & 0o777 == 0o700
    for private in (files.key, *(files.host_key(name) for name in NAMES)):
        assert private.stat().st_mode & 0o777 == 0o600
    host = (files.host_key("vms21.rhce.cc.pub")).read_text().split()[1]
    assert f"192.168.26.21,vms21.rhce.cc ssh-ed25519 {host}\n" in files.known_hosts.read_text()
    assert keys.public(files.key) == " ".join(files.public.read_text().split()[:2])


def test_again_changes_nothing() -> None:
    before = texts(keys.make("cka", MACHINES))
    assert texts(keys.make("cka", MACHINES)) == before


def test_a_machine_more_and_one_less() -> None:
    files = keys.make("cka", MACHINES)
    kept = files.host_key(NAMES[0]).read_text()
    keys.make("cka", [MACHINES[0], ("vms23.rhce.cc", "192.168.26.23")])
    assert files.host_key(NAMES[0]).read_text() == kept
    assert not files.host_key(NAMES[1]).exists()
    assert "192.168.26.22" not in files.known_hosts.read_text()
    assert files.host_key("vms23.rhce.cc").exists()


def test_what_a_state_keeps_brings_the_same_files_back() -> None:
    files = keys.make("cka", MACHINES)
    before, kept = texts(files), keys.contents(files, NAMES)
    keys.remove("cka")
    assert not files.folder.parent.exists()
    keys.restore("cka", kept)
    keys.make("cka", MACHINES)
    after = texts(files)
    assert {name: text.split()[:2] for name, text in after.items()} == {n: t.split()[:2] for n, t in before.items()}
    assert files.key.stat().st_mode & 0o777 == 0o600


def test_restore_writes_nowhere_else(tmp_path: Path) -> None:
    keys.restore("cka", {"../../evil": "x", f"{tmp_path}/evil": "x"})
    assert not list(tmp_path.rglob("evil"))


def test_a_libvirt_machine_is_reached_with_the_labs_key() -> None:
    lab = a_plan("libvirt")
    files = keys.of("cka")
    login = keys.login(lab, lab.machines[0])
    assert login == Login("m1.example.com", "192.168.26.21", files.key, files.known_hosts)
    far = replace(lab, libvirt=lab.libvirt.model_copy(update={"uri": "qemu+ssh://teacher@lab.example.com:2222/system"}))
    assert keys.login(far, lab.machines[0]).jump == "teacher@lab.example.com:2222"


@pytest.mark.parametrize("uri", ["qemu:///system", "test:///default", "qemu+tcp://host/system"])
def test_no_way_round(uri: str) -> None:
    assert keys.jump(uri) == ""


def test_a_machine_that_exists_is_reached_with_the_users_key() -> None:
    lab = a_plan("ssh", ssh=Ssh(user="admin", key="~/.ssh/other", port=2222))
    login = keys.login(lab, lab.machines[0])
    assert (login.user, login.port, login.accept_new) == ("admin", 2222, True)
    assert login.key == Path.home() / ".ssh" / "other"
    assert login.known_hosts == keys.of("cka").known_hosts


def test_ssh_understands_the_config() -> None:
    files = keys.make("cka", MACHINES)
    said = shell.run(["ssh", "-G", "-F", files.config, "vms22"], timeout=10).stdout.splitlines()
    assert {"hostname 192.168.26.22", "user root", f"identityfile {files.key}", "stricthostkeychecking true"} <= set(
        said
    )
