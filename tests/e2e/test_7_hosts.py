"""A class on two libvirt hosts. Two daemons stand for them: each knows its own machines, networks and disks only.

The machines are emulated, and take a core each also when idle: one lab is made after the other, and stands still then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest
import yaml

from modules.host.libvirt import place
from modules.machines.libvirt import connection, daemon
from tests.support.project import CHECKOUT, Project

pytestmark = [pytest.mark.alone, pytest.mark.long]
CLASS = "hosts"
PATIENCE = 880  # seconds; below the limit of one test
TEMPLATE: dict[str, Any] = {
    "backend": "libvirt",
    "masters": 1,
    "workers": 0,
    "machine": {"cpus": 2, "memory": "2GiB", "disk": "10GiB"},
    "addons": ["flannel"],
    "apps": [{"name": "kubia", "expose": [{"nodeport": {"port": 30080}}]}],
    "libvirt": {"acceleration": "tcg"},
}
ROOM_FOR_ONE = {"memory": "4GiB", "cpus": 2, "disk": "30GiB"}


def daemon_of(project: Project) -> str:
    """The URI of the daemon that a checkout runs for itself, running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STACKLAB_PROJECT", str(project.folder))
        with connection.connect(place.SYSTEM):
            return place.here().uri


@pytest.fixture(scope="module")
def hosts(project: Project) -> Iterator[dict[str, str]]:
    """Name -> URI: this checkout's libvirt, and that of another one."""
    other = Project.bare(CHECKOUT / ".stacklab" / "e2e-host")
    yield {"near": daemon_of(project), "far": daemon_of(other)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STACKLAB_PROJECT", str(other.folder))
        daemon.stop_after_last()


@pytest.fixture(scope="module")
def school(project: Project, hosts: dict[str, str]) -> Iterator[Project]:
    folder = project.folder / "classes"
    (folder / "template").mkdir(parents=True, exist_ok=True)
    (folder / "template" / "vm.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": TEMPLATE}}))
    uris = {"near": place.SYSTEM, "far": hosts["far"]}
    data = {
        "roster": [{"id": "s01"}, {"id": "s02"}],
        "template": "template/vm.yaml",
        "hosts": [{"name": name, "uri": uri, **ROOM_FOR_ONE} for name, uri in uris.items()],
        "limits": {"reserve": "256MiB"},
    }
    (folder / f"{CLASS}.yaml").write_text(yaml.safe_dump(data))
    yield project
    project.run("stacklab", "class", "down", CLASS, timeout=PATIENCE).ok()


def told(school: Project, verb: str, *words: str) -> dict[str, Any]:
    """What a command tells programs."""
    quiet = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")
    ran = school.run(*quiet, "stacklab", "class", verb, CLASS, *words, "--json", timeout=PATIENCE)
    found: dict[str, Any] = json.loads(ran.output)
    return found


def machines(uri: str) -> list[str]:
    with connection.connect(uri) as host:
        return sorted(domain.name() for domain in host.listAllDomains())


def test_each_has_a_place_on_a_host_of_their_own(school: Project) -> None:
    plan = told(school, "plan")
    assert plan["fits"] is True
    assert {one["id"]: one["host"] for one in plan["students"]} == {"s01": "near", "s02": "far"}


@pytest.mark.parametrize("student", ["s01", "s02"])
def test_a_lab_is_made_and_reached(school: Project, student: str) -> None:
    made = {one["id"]: one for one in told(school, "up", "--only", student)["students"]}
    assert made[student]["state"] == "done", made[student]
    school.run("stacklab", "class", "verify", CLASS, "--only", student, timeout=300).ok()
    school.run("stacklab", "stop", f"{CLASS}-{student}", timeout=180).ok()


def test_each_host_has_the_machine_of_its_student(school: Project, hosts: dict[str, str]) -> None:
    assert machines(hosts["near"]) == [f"stacklab-{CLASS}-s01.master-1"]
    assert machines(hosts["far"]) == [f"stacklab-{CLASS}-s02.master-1"]


def test_down_leaves_nothing_on_either(school: Project, hosts: dict[str, str]) -> None:
    shown = school.run("stacklab", "class", "down", CLASS, timeout=PATIENCE).ok().output
    assert "nothing is left" in shown
    with connection.connect(hosts["far"]) as far:
        assert far.listAllDomains() == []
        assert [network.name() for network in far.listAllNetworks()] == []
        assert [pool.name() for pool in far.listAllStoragePools()] == []
    with pytest.raises(libvirt.libvirtError):
        libvirt.open(hosts["near"])
