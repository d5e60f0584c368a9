"""Every step as text: what is asked, what is done about each answer, and how it is taken back."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from modules.artifacts.machine import registries, texts
from modules.artifacts.machine.payload import IMAGES_LIST
from modules.base.errors import StacklabError
from modules.bootstrap import hosts, reset
from modules.bootstrap.step import Action, Run, Step, Upload, Write
from modules.bootstrap.steps import (
    Wish,
    containerd,
    firewall,
    images,
    journal,
    kernel,
    names,
    packages,
    programs,
    selinux,
    swap,
)
from modules.bootstrap.steps import steps as all_steps
from modules.topology.model import LabSpec
from modules.topology.plan import plan
from tests.unit.bootstrap.wishes import ENTRIES, wish

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def worker(tmp_path: Path) -> Wish:
    return wish(tmp_path)


@pytest.fixture
def master(tmp_path: Path) -> Wish:
    return wish(tmp_path, machine="vms21.rhce.cc", role="master", proxy="ipvs", vip=True, masters=3)


def text_of(action: Action) -> str:
    return _text_of(action).replace(journal.FUNCTIONS, "# (the functions of the journal)\n")


def _text_of(action: Action) -> str:
    if isinstance(action, Write):
        return f"write {action.path} {action.mode:o}: {action.why}\n{action.content}"
    if isinstance(action, Upload):
        return f"upload {action.path} {action.mode:o}: {action.why}\n"
    return f"run: {action.why}\n{action.script}"


def said(actions: Sequence[Action]) -> list[str]:
    return [action.why for action in actions]


def check(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"UPDATE_GOLDEN=1 writes {file.name} anew"


ANSWERS: dict[str, dict[str, str]] = {
    "debian": {
        "hosts file": "127.0.0.1 localhost\n127.0.1.1 old\n\nend",
        "host name": "old\nold\n",
        "swap off": "on /dev/sda2\nfstab /dev/sda2\n",
        "selinux": "now\n",
        "firewall": "ufw\nufw allow 22/tcp comment 'stacklab'\n",
        "kernel modules": "absent overlay\nabsent br_netfilter\n",
        "sysctls": "value net.ipv4.ip_forward 0\nvalue fs.inotify.max_user_instances 8192\n",
        "packages": "debian\nabsent socat\nabsent tc\n",
        "containerd configuration": "cgroup_v1\nno_oom_adjust\n",
        "units": "off containerd\noff kubelet\ndown containerd\n",
    },
    "redhat": {
        "hosts file": "127.0.0.1 localhost\n\nend",
        "host name": "vms21\nvms21.rhce.cc\n",
        "swap off": "on /dev/zram0\n",
        "selinux": "now Enforcing\nSELINUX=enforcing\n",
        "firewall": "firewalld\n22/tcp\n10250/tcp\n",
        "kernel modules": "absent ip_vs\nbridged\noverlayed\n",
        "sysctls": "".join(f"value {n} {v}\n" for n, v in {**texts.SYSCTLS, **texts.SYSCTLS_AT_LEAST}.items()),
        "packages": "redhat\nabsent runc\nabsent tc\nabsent haproxy\nabsent keepalived\n",
        "units": "restart\n",
    },
}  # fmt: skip


@pytest.mark.parametrize(("family", "role"), [("debian", "worker"), ("redhat", "master")])
def test_all_steps_on_a_machine_that_has_nothing(family: str, role: str, worker: Wish, master: Wish) -> None:
    parts = []
    for step in all_steps(worker if role == "worker" else master):
        actions = step.difference(ANSWERS[family].get(step.name, ""))
        parts.append(f"===== {step.name}\n" + "".join(f"--- {text_of(action)}" for action in actions))
    check(f"{family}-{role}.txt", "".join(parts))


def test_all_that_is_asked_and_taken_back(worker: Wish) -> None:
    steps = all_steps(worker)
    check("probes.sh", "".join(f"# ===== {step.name}\n{step.probe.rstrip()}\n" for step in steps))
    check(
        "reset.sh",
        "".join(
            f"# ===== {name}\n{part.rstrip()}\n" for name, part in reset.parts("cka").items() if name != "the cluster"
        ),
    )


def scripts(wishes: Sequence[Wish]) -> list[str]:
    found = [reset.script("cka")]
    for one in wishes:
        for step in all_steps(one):
            found += [step.probe, step.undo]
            for answers in ANSWERS.values():
                found += [a.script for a in step.difference(answers.get(step.name, "")) if isinstance(a, Run)]
    return [script for script in found if script]


def test_every_script_is_one_that_sh_can_read(worker: Wish, master: Wish) -> None:
    for script in scripts([worker, master]):
        done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{done.stderr}\n{script}"


@pytest.mark.parametrize(
    ("step", "printed"),
    [
        (swap.STEP, ""),
        (swap.STEP, "container\non /dev/sda2\nfstab /dev/sda2\n"),  # it is the host's
        (selinux.STEP, "now Permissive\nSELINUX=permissive #stacklab\n"),
        (selinux.STEP, "now\n"),
    ],
)
def test_nothing_to_do(step: Step, printed: str) -> None:
    assert not step.difference(printed)


def test_a_firewall_that_lets_all_of_it_through(worker: Wish) -> None:
    step = firewall.step(worker)
    assert not step.difference("")
    opened = "\n".join(["firewalld", *firewall.ports(worker), f"source {worker.pods}"])
    assert not step.difference(opened)


@pytest.mark.parametrize(
    ("changed", "has", "has_not"),
    [
        ({}, {"10250/tcp", "30000-32767/tcp", "4789/udp"}, {"6443/tcp", "2379-2380/tcp", "8443/tcp"}),
        ({"role": "master"}, {"6443/tcp", "2379-2380/tcp", "10257/tcp", "10259/tcp"}, {"8443/tcp"}),
        ({"role": "master", "vip": True}, {"6443/tcp", "8443/tcp"}, set()),
        ({"etcd": True}, {"2379-2380/tcp"}, {"6443/tcp"}),
    ],
)
def test_ports_by_role(tmp_path: Path, changed: dict[str, object], has: set[str], has_not: set[str]) -> None:
    ports = set(firewall.ports(wish(tmp_path, **changed)))
    assert has <= ports
    assert not has_not & ports


def test_a_hosts_file_keeps_everything_else() -> None:
    before = "127.0.0.1 localhost\r\n\n# mine\n127.0.1.1 vms21\nlast line without end"
    inside = hosts.insert(before, "cka", ENTRIES)
    assert inside.startswith("# stacklab cka begin\n192.168.26.21 vms21.rhce.cc vms21\n")
    assert hosts.insert(inside, "cka", ENTRIES) == inside
    assert hosts.remove(inside, "cka") == before
    other = hosts.insert(inside, "ha", ENTRIES[:1])
    assert hosts.remove(hosts.remove(other, "cka"), "ha") == before


def test_a_hosts_file_that_lost_a_marker_is_not_touched() -> None:
    with pytest.raises(StacklabError, match="broken"):
        hosts.insert("# stacklab cka begin\n1.2.3.4 a\n", "cka", ENTRIES)


def test_the_removal_as_a_script_does_the_same(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    before = "127.0.0.1 localhost\n\n# mine\nlast line without end"
    file.write_text(hosts.insert(before, "cka", ENTRIES))
    for _ in range(2):
        subprocess.run(["sh", "-ec", hosts.removal("cka").replace("/etc/hosts", str(file))], check=True)
        assert file.read_text() == before


def a_lab(masters: int, workers: int, endpoint: str = "none") -> str:
    machines = {
        role: [{"name": f"{role}{n}.example.com", "address": f"10.0.0.{base + n}"} for n in range(count)]
        for role, base, count in (("masters", 10, masters), ("workers", 20, workers))
    }
    spec = {"backend": "ssh", **machines, "network": {"endpoint": endpoint, "machines": "10.0.0.0/24"}}
    lab = plan(LabSpec.model_validate(spec), "x")
    return " ".join(f"{m.role[0]}:{hosts.api_address(lab, m)}" for m in lab.machines)


@pytest.mark.parametrize(
    ("lab", "expected"),
    [
        ((1, 2), "m:10.0.0.10 w:10.0.0.10 w:10.0.0.10"),
        ((2, 1), "m:10.0.0.10 m:10.0.0.11 w:127.0.0.1"),
        ((2, 1, "vip:10.0.0.5"), "m:10.0.0.5 m:10.0.0.5 w:10.0.0.5"),
        ((1, 1, "vip:10.0.0.5"), "m:10.0.0.5 w:10.0.0.5"),
    ],
)
def test_where_the_api_is(lab: tuple[int, int], expected: str) -> None:
    assert a_lab(*lab) == expected


def test_a_short_host_name_is_as_good(worker: Wish) -> None:
    step = names.host_name(worker)
    assert not step.difference("vms22\nvms22.rhce.cc\n")
    assert said(step.difference("localhost\n\n")) == ["is called localhost"]


def test_a_program_is_brought_when_it_is_missing_or_another_one(worker: Wish) -> None:
    step = programs.kubernetes(worker)
    base = "/opt/stacklab/kubernetes/1.36.3"
    same = "".join(f"file 3 755 {base}/{name}\n" for name in ("kubeadm", "kubelet", "kubectl"))
    assert not step.difference(same)
    assert "kubelet is another build" in said(
        step.difference(same.replace(f"3 755 {base}/kubelet", f"4 755 {base}/kubelet"))
    )
    assert "kubelet is not executable" in said(
        step.difference(same.replace(f"3 755 {base}/kubelet", f"3 644 {base}/kubelet"))
    )
    assert said(step.difference(""))[1:] == ["kubeadm is missing", "kubectl is missing", "kubelet is missing"]


def test_images_have_the_names_that_kubeadm_looks_for_in_another_repository(tmp_path: Path) -> None:
    here = wish(tmp_path, repository="mirror.example.com/k8s")
    second = "mirror.example.com/k8s/kube-proxy:v1.36.3"
    assert said(images.step(here).difference("")) == [
        "",
        "registry.k8s.io/kube-proxy:v1.36.3 is missing",
        "",
        f"{second} is missing",
    ]
    there = "registry.k8s.io/kube-proxy:v1.36.3\n"
    [keep, name] = images.step(here).difference(there)
    assert isinstance(keep, Run)
    assert isinstance(name, Run)
    assert f"images tag --force registry.k8s.io/kube-proxy:v1.36.3 {second}" in name.script
    assert not images.step(here).difference(f"{there}{second}\n")


def test_images_by_role(worker: Wish, master: Wish) -> None:
    assert sum(isinstance(a, Upload) for a in images.step(worker).difference("")) == 1
    assert sum(isinstance(a, Upload) for a in images.step(master).difference("")) == 2
    there = "".join(f"{image.reference}\n" for image in master.payload.images)
    assert not images.step(master).difference(there)
    assert IMAGES_LIST in images.step(master).probe


def test_containerd_is_told_what_the_machine_cannot_do(worker: Wish) -> None:
    def config(printed: str) -> str:
        actions = containerd.configuration(worker).difference(printed)
        return next(a.content for a in actions if isinstance(a, Write) and a.path == texts.CONTAINERD_CONFIG)

    assert "restrict_oom_score_adj = true" in config("no_oom_adjust\n")
    assert "restrict_oom_score_adj = false" in config("")


def test_a_restart_that_a_killed_run_owes_is_made_up_for() -> None:
    def seen(path: str, text: str) -> str:
        return f"file 1 644 {path}\ndigest {hashlib.sha256(text.encode()).hexdigest()}  {path}\n"

    whole = "".join(seen(path, text) for path, text in texts.units().items())
    assert not containerd.units().difference(whole)
    assert said(containerd.units().difference(whole + "restart\n")) == ["containerd runs with the old files"]
    assert said(containerd.units().difference(whole + "down containerd\n")) == ["containerd does not run"]


def test_mirrors() -> None:
    found = registries.hosts_files({"docker.io": "mirror.example.com", "quay.io": "http://10.0.0.1:5000/quay/"})
    assert found == {
        "/etc/containerd/certs.d/docker.io/hosts.toml": (
            '# Written by stacklab.\nserver = "https://registry-1.docker.io"\n\n'
            '[host."https://mirror.example.com"]\n  capabilities = ["pull", "resolve"]\n'
        ),
        "/etc/containerd/certs.d/quay.io/hosts.toml": (
            '# Written by stacklab.\nserver = "https://quay.io"\n\n'
            '[host."http://10.0.0.1:5000/v2/quay"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n'
        ),
    }


@pytest.mark.parametrize(
    ("changed", "extra"),
    [
        ({}, ()),
        ({"masters": 3}, ("haproxy",)),
        ({"masters": 3, "role": "master"}, ()),
        ({"masters": 3, "role": "master", "vip": True}, ("haproxy", "keepalived", "curl")),
        ({"masters": 3, "vip": True}, ()),
    ],
)
def test_who_needs_a_load_balancer(tmp_path: Path, changed: dict[str, object], extra: tuple[str, ...]) -> None:
    assert packages.balancing(wish(tmp_path, **changed)) == extra


def test_the_hosts_own_limits_are_left_alone_by_a_container() -> None:
    low = "".join(f"value {name} {value}\n" for name, value in texts.SYSCTLS.items())
    digest = "container\n" + low
    assert not any("inotify" in action.why for action in kernel.sysctls().difference(digest))
    assert any("inotify" in action.why for action in kernel.sysctls().difference(low))
