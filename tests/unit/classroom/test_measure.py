"""From what was seen of a lab to the table's figures."""

from __future__ import annotations

from pathlib import Path

import yaml

from modules.classroom import footprint, measure
from modules.classroom.footprint import MIB, TABLE, Need, Table, of_lab
from modules.classroom.measure import MachineSeen, PodSeen
from tests.unit.classroom.conftest import Make

MACHINES = [
    MachineSeen("m", "master", 800 * MIB, 180, 310 * MIB, 11),
    MachineSeen("w1", "worker", 300 * MIB, 60, 100 * MIB, 10),
    MachineSeen("w2", "worker", 320 * MIB, 64, 120 * MIB, 12),
]
PODS = [
    PodSeen("kube-system", "etcd-m", "m", 60 * MIB, 20, False),
    *(PodSeen("kube-system", f"calico-node-{n}", n, 80 * MIB, 20, True) for n in ("m", "w1", "w2")),
    PodSeen("kube-system", "calico-kube-controllers-x", "w1", 20 * MIB, 2, False),
    PodSeen("traefik", "traefik-x", "w2", 39.5 * MIB, 1.5, False),
    PodSeen("default", "kubia-1", "w1", 7 * MIB, 1, False),
    PodSeen("default", "kubia-2", "w2", 9 * MIB, 1, False),
]


def test_machines_are_counted_without_addons_and_apps() -> None:
    found = measure.digest(MACHINES, PODS)
    assert found["machines"] == {
        "master": {"memory": 720, "cpu": 160, "disk": 310, "inotify": 11},
        "worker": {"memory": 195, "cpu": 40, "disk": 110, "inotify": 12},
    }
    assert found["addons"] == {
        "calico": {"lab": {"memory": 20, "cpu": 2}, "machine": {"memory": 80, "cpu": 20}},
        "traefik": {"lab": {"memory": 40, "cpu": 2}, "machine": {"memory": 0, "cpu": 0}},
    }
    assert found["pod"] == {"memory": 8, "cpu": 1}


def test_the_table_gives_back_at_least_what_was_measured(make: Make) -> None:
    known = Table(measure.joined(footprint.table().figures, "kind", measure.digest(MACHINES, PODS), "here"))
    app = {"name": "kubia", "replicas": 2}
    lab = {"backend": "kind", "masters": 1, "workers": 2, "addons": ["calico", "traefik"], "apps": [app]}
    need = of_lab(make(template_data={**lab, "addons": ["calico"]}).usual.spec, known)
    assert need.memory + 40 * MIB >= sum(m.memory for m in MACHINES)
    assert need.memory + 40 * MIB <= sum(m.memory for m in MACHINES) * 1.05
    assert Need(*need).inotify == 11 + 2 * 12


def test_measuring_again_replaces_and_keeps_the_rest() -> None:
    old = footprint.table().figures
    new = measure.joined(old, "kind", {"machines": {"worker": {"memory": 1}}, "addons": {"calico": {}}}, "here")
    again = measure.joined(new, "kind", {"machines": {}, "addons": {}}, "here")
    assert again["machines"]["kind"] == {"master": old["machines"]["kind"]["master"], "worker": {"memory": 1}}
    assert again["machines"]["libvirt"] == old["machines"]["libvirt"]
    assert set(again["addons"]) == set(old["addons"])
    assert again["measured"].count("here") == 1
    assert yaml.safe_load(footprint.text(again)) == again


def test_the_table_is_as_its_command_writes_it_and_knows_every_addon() -> None:
    assert TABLE.read_text() == footprint.text(footprint.table().figures)
    import addons

    assert set(addons.facts()) <= set(footprint.table().figures["addons"]) | {"flannel"}
    assert set(measure.ADDON_PODS) >= set(addons.facts())


def test_the_groups_of_a_container_whatever_runs_deeper_in_it() -> None:
    v1 = [
        "5:cpu,cpuacct:/libpod_parent/libpod-abc/init.scope",
        "4:memory:/libpod_parent/libpod-abc",
        "1:name=systemd:/",
    ]
    found = measure.cgroups(v1, "abc")
    assert found["cpuacct"] == Path("/sys/fs/cgroup/cpu,cpuacct/libpod_parent/libpod-abc")
    assert found["memory"] == Path("/sys/fs/cgroup/memory/libpod_parent/libpod-abc")
    v2 = measure.cgroups(["0::/machine.slice/libpod-abc.scope/container/init.scope"], "abc")
    assert v2[""] == Path("/sys/fs/cgroup/machine.slice/libpod-abc.scope")
