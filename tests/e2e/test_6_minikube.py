"""Labs on minikube: the story of one in the order of a user's day, then faults, an upgrade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.base.probe import Answer, wait_for
from modules.host.engine import choose
from modules.topology.mirrors import COUNTRIES
from tests.support.http import fetch
from tests.support.labs import SMALL, Lab
from tests.support.project import CHECKOUT, Project

MINI: dict[str, Any] = {**SMALL, "backend": "minikube"}
OLDER, NEWER = "1.35.4", "1.36.3"
ETCD_ACCESS = {"cacert": "ca.crt", "cert": "server.crt", "key": "server.key"}
HIERARCHIES = Path("/proc/cgroups")


def hierarchies() -> set[str]:
    """The controllers that the kernel has a version 1 hierarchy for: one that a machine makes stays for good."""
    rows = (line.split() for line in HIERARCHIES.read_text().splitlines() if not line.startswith("#"))
    return {row[0] for row in rows if row[1] != "0"}


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    home = Path.home()
    seen = {str(p): p.stat().st_mtime_ns for p in (home / ".minikube", home / ".kube" / "config") if p.exists()}
    return {"hierarchies": hierarchies(), "home": seen}


@pytest.fixture(scope="module")
def mini(project: Project, before: dict[str, object]) -> Iterator[Lab]:
    """The lab of stacks/Pulumi.minikube.yaml under another name."""
    shared = Lab.like(project, "mini", CHECKOUT / "stacks" / "Pulumi.minikube.yaml")
    shared.up().ok()
    yield shared
    shared.remove()


def machines(lab: Lab) -> dict[str, str]:
    found: dict[str, str] = {m["name"]: m["address"] for m in lab.outputs()["machines"]}
    return found


def inspect(name: str, what: str) -> str:
    return choose().run("inspect", "--format", what, name, timeout=30).stdout.strip()


def identity(lab: Lab) -> dict[str, str]:
    """Name -> uid of the Kubernetes nodes: another uid is another node."""
    return {node["metadata"]["name"]: node["metadata"]["uid"] for node in lab.get("nodes")["items"]}


# -- the story ---------------------------------------------------------------------------------------------------------


def test_a_lab_of_two_machines_has_the_planned_names_and_addresses(mini: Lab) -> None:
    seen = {
        node["metadata"]["name"]: next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        for node in mini.get("nodes")["items"]
    }
    assert seen == machines(mini)
    assert list(seen) == ["stacklab-mini", "stacklab-mini-m02"]


def test_verify_reaches_everything(mini: Lab) -> None:
    mini.verify().ok()


def test_each_exposure_answers_from_this_host(mini: Lab) -> None:
    for kind in ("nodeport", "loadbalancer"):
        assert fetch(mini.exposure("kubia", kind)["url"])["pod"].startswith("kubia-")
    ingress = mini.exposure("kubia", "ingress")
    assert fetch(f"http://{ingress['address']}/", host=ingress["host"])["host"] == ingress["host"]


def test_a_second_up_changes_nothing(mini: Lab) -> None:
    mini.unchanged().ok()


def test_machines_have_their_size_and_not_all_of_the_host(mini: Lab) -> None:
    assert inspect("stacklab-mini-m02", "{{.HostConfig.Memory}}") == str(2 << 30)


def test_what_kubeadm_starts_is_told_by_its_own_version(mini: Lab) -> None:
    pods = mini.get("pods", "-n", "kube-system", "-l", "component=etcd")["items"]
    tag = mini.outputs()["versions"]["etcd"]
    assert pods[0]["spec"]["containers"][0]["image"] == f"registry.k8s.io/etcd:{tag}-0"


def test_stopped_and_started_it_is_the_same_lab(mini: Lab) -> None:
    nodes = identity(mini)
    mini.project.run("stacklab", "stop", mini.stack).ok()
    assert {inspect(name, "{{.State.Status}}") for name in machines(mini)} == {"exited"}
    mini.project.run("stacklab", "start", mini.stack).ok()
    mini.verify().ok()
    assert identity(mini) == nodes
    mini.unchanged().ok()


def test_a_paused_lab_goes_on_where_it_was(mini: Lab) -> None:
    mini.project.run("stacklab", "pause", mini.stack).ok()
    assert {inspect(name, "{{.State.Status}}") for name in machines(mini)} == {"paused"}
    mini.project.run("stacklab", "unpause", mini.stack).ok()
    mini.verify().ok()


@pytest.mark.long
def test_up_starts_a_stopped_lab(mini: Lab) -> None:
    mini.project.run("stacklab", "stop", mini.stack).ok()
    assert "is exited" in mini.up().ok().output
    mini.verify().ok()


def test_a_worker_more_and_a_worker_less_in_place(mini: Lab) -> None:
    nodes, pods = identity(mini), mini.get("pods", "-l", "app.kubernetes.io/name=kubia")["items"]
    mini.spec["workers"] = 2
    mini.up().ok()
    assert identity(mini).items() >= nodes.items()
    mini.verify().ok()
    mini.spec["workers"] = 1
    mini.up().ok()
    assert identity(mini) == nodes
    still = {p["metadata"]["uid"] for p in mini.get("pods", "-l", "app.kubernetes.io/name=kubia")["items"]}
    assert {p["metadata"]["uid"] for p in pods} <= still
    mini.unchanged().ok()


@pytest.mark.long
def test_a_lost_worker_is_made_again_by_refresh_and_up(mini: Lab) -> None:
    choose().run("rm", "-f", "-v", "stacklab-mini-m02", timeout=60)
    mini.project.pulumi("refresh", "--yes", "--skip-preview", stack=mini.stack).ok()
    mini.up().ok()
    assert list(identity(mini)) == ["stacklab-mini", "stacklab-mini-m02"]
    mini.verify().ok()


@pytest.mark.long
def test_a_second_profile_stands_beside_the_first_and_knows_of_mirrors(mini: Lab, project: Project) -> None:
    """Its images have the mirror's names, and nothing was pulled: no mirror is needed for it to come up."""
    other = Lab.of(project, "mini2", {**MINI, "mirrors": {"country": "cn"}})
    cn = COUNTRIES["cn"]
    try:
        other.up().ok()
        pods = other.get("pods", "-n", "kube-system", "-l", "component=kube-apiserver")["items"]
        assert pods[0]["spec"]["containers"][0]["image"].rpartition("/")[0] == cn.images
        hosts = "/etc/containerd/certs.d/docker.io/hosts.toml"
        said = choose().run("exec", "stacklab-mini2", "cat", hosts, timeout=30).stdout
        assert f'[host."{cn.registries["docker.io"]}"]' in said
        assert list(identity(other)) == ["stacklab-mini2"]
        assert not set(machines(mini).values()) & set(machines(other).values())
        other.destroy().ok()
        mini.verify().ok()
    finally:
        other.remove()
    other.receipt().ok()


def test_a_strangers_profile_stays_untouched(mini: Lab, project: Project) -> None:
    engine, mark = choose(), "created_by.minikube.sigs.k8s.io=true"
    name, image = "minikube-of-somebody", inspect("stacklab-mini", "{{.ImageName}}")
    engine.run("volume", "create", "--label", mark, name, timeout=30)
    engine.run("create", "--name", name, "--label", mark, image, timeout=60)
    try:
        made = inspect(name, "{{.Id}}")
        other = Lab.of(project, "mini2", MINI)
        other.up().ok()
        other.remove()
        assert inspect(name, "{{.Id}}") == made
        assert name in engine.run("volume", "ls", "--quiet", timeout=30).stdout.split()
    finally:
        engine.run("rm", "--force", name, timeout=30)
        engine.run("volume", "rm", "--force", name, timeout=30)


def test_destroy_leaves_nothing_also_of_cgroups_and_in_the_home(mini: Lab, before: dict[str, object]) -> None:
    mini.destroy().ok()
    mini.receipt().ok()
    assert hierarchies() == before["hierarchies"]
    home = Path.home()
    seen = {str(p): p.stat().st_mtime_ns for p in (home / ".minikube", home / ".kube" / "config") if p.exists()}
    assert seen == before["home"]
    assert not (mini.project.folder / ".stacklab" / "labs" / mini.stack).exists()


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(project: Project) -> Iterator[Lab]:
    lab = Lab.of(project, "mini3", {**MINI, "workers": 1})
    yield lab
    lab.remove()
    lab.receipt().ok()


def running(lab: Lab) -> set[str]:
    said = choose().run("ps", "--filter", f"label=stacklab.stack={lab.stack}", "--format", "{{.Names}}", timeout=30)
    return set(said.stdout.split())


MOMENTS: dict[str, Callable[[Lab], bool]] = {
    "a machine runs": lambda lab: f"stacklab-{lab.stack}" in running(lab),
    "both machines run": lambda lab: f"stacklab-{lab.stack}-m02" in running(lab),
}


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_up_killed_and_run_again_reaches_the_same_lab(small: Lab, moment: str) -> None:
    small.kill_up_when(moment, MOMENTS[moment], running)
    small.up().ok()
    assert list(identity(small)) == [m["name"] for m in small.outputs()["machines"]]
    small.unchanged().ok()


def test_a_strangers_machine_of_our_name_stays_untouched(small: Lab) -> None:
    """minikube itself would take it for a leftover of its own and remove it."""
    engine, name = choose(), f"stacklab-{small.stack}"
    image = engine.run("images", "--format", "{{.Repository}}:{{.Tag}}", timeout=30).stdout.split()[0]
    engine.run("create", "--name", name, "--label", "created_by.minikube.sigs.k8s.io=true", image, timeout=60)
    try:
        made = inspect(name, "{{.Id}}")
        refused = small.up()
        assert refused.code != 0
        assert f"{name} is there already" in refused.output
        assert inspect(name, "{{.Id}}") == made
    finally:
        engine.run("rm", "--force", "--volumes", name, timeout=30)


# -- versions --------------------------------------------------------------------------------------------------------


def volume(lab: Lab) -> tuple[str, str]:
    """A file on the volume of the app's only pod, as its machine sees it, and the machine."""
    path = lab.get("pv")["items"][0]["spec"]
    place = path.get("hostPath", path.get("local"))["path"]
    node: str = lab.get("pod", "db-0")["spec"]["nodeName"]
    return f"{place}/kept", node


@pytest.mark.long
def test_kubernetes_is_upgraded_in_place_and_the_app_keeps_its_data(project: Project) -> None:
    app = {"name": "db", "workload": "statefulset", "volume": "64MiB at /data", "expose": [{"clusterip": {}}]}
    spec = {**MINI, "workers": 1, "kubernetes": OLDER, "addons": ["calico", "local-path"], "apps": [app]}
    lab = Lab.of(project, "mini4", spec)
    try:
        lab.up().ok()
        nodes = identity(lab)
        kept, place = volume(lab)
        choose().run("exec", place, "sh", "-c", f"echo yes >{kept}", timeout=30)
        lab.spec["kubernetes"] = NEWER
        lab.up().ok()
        assert identity(lab) == nodes
        versions = {n["status"]["nodeInfo"]["kubeletVersion"] for n in lab.get("nodes")["items"]}
        assert versions == {f"v{NEWER}"}
        lab.verify().ok()
        assert volume(lab) == (kept, place)
        assert choose().run("exec", place, "cat", kept, timeout=30).stdout == "yes\n"
        lab.unchanged().ok()
    finally:
        lab.remove()
    lab.receipt().ok()


# -- several masters ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several(project: Project) -> Iterator[Lab]:
    lab = Lab.of(project, "mini5", {**MINI, "masters": 3, "workers": 1, "addons": ["calico", "metrics-server"]})
    lab.up().ok()
    yield lab
    lab.remove()
    lab.receipt().ok()


@pytest.mark.long
def test_three_masters_stand_behind_one_address(several: Lab) -> None:
    nodes = several.get("nodes", "-l", "node-role.kubernetes.io/control-plane")["items"]
    assert [n["metadata"]["name"] for n in nodes] == [f"stacklab-mini5{end}" for end in ("", "-m02", "-m03")]
    front = several.outputs()["endpoint"]
    assert front.rpartition(".")[2] == "254:8443"
    assert not [a for a in machines(several).values() if a in front]
    several.verify().ok()
    several.unchanged().ok()


@pytest.mark.long
def test_the_api_answers_while_the_first_master_is_down(several: Lab) -> None:
    first = "stacklab-mini5"
    choose().run("stop", "--time", "1", first, timeout=60)

    def answers() -> Answer[bool]:
        wrote = several.kubectl("create", "configmap", "written-without-it", timeout=30)
        return Answer(wrote.code == 0 or None, wrote.output)

    wait_for("the API takes a write", answers, timeout=60)
    several.project.run("stacklab", "start", several.stack).ok()
    assert inspect(first, "{{.State.Status}}") == "running"
    several.verify().ok()
    assert several.get("configmap", "written-without-it")["metadata"]["name"] == "written-without-it"


@pytest.mark.long
def test_stopped_and_started_as_a_whole_several_masters_are_the_same_lab(several: Lab) -> None:
    nodes = identity(several)
    several.project.run("stacklab", "stop", several.stack).ok()
    several.project.run("stacklab", "start", several.stack).ok()
    several.verify().ok()
    assert identity(several) == nodes
    several.unchanged().ok()


@pytest.mark.long
def test_what_stands_in_front_is_made_again_when_it_is_lost(several: Lab) -> None:
    nodes = identity(several)
    choose().run("rm", "-f", "stacklab-mini5-external-load-balancer", timeout=60)
    several.project.pulumi("refresh", "--yes", "--skip-preview", stack=several.stack).ok()
    several.up().ok()
    assert identity(several) == nodes
    several.verify().ok()


@pytest.mark.long
@pytest.mark.timeout(1800)  # four masters, one after the other, and again at the upgrade
def test_several_masters_grow_shrink_and_are_upgraded_in_place(project: Project) -> None:
    lab = Lab.of(project, "mini6", {**MINI, "masters": 3, "kubernetes": OLDER})
    try:
        lab.up().ok()
        nodes = identity(lab)
        lab.spec["masters"] = 4
        lab.up().ok()
        assert identity(lab).items() > nodes.items()
        lab.verify().ok()
        lab.spec["masters"] = 3
        lab.up().ok()
        assert identity(lab) == nodes
        members = ["exec", "-n", "kube-system", "etcd-stacklab-mini6", "--", "etcdctl", "member", "list"]
        certs = [f"--{what}=/var/lib/minikube/certs/etcd/{file}" for what, file in ETCD_ACCESS.items()]
        assert len(lab.kubectl(*members, *certs).ok().output.splitlines()) == 3
        lab.spec["kubernetes"] = NEWER
        lab.up().ok()
        assert identity(lab) == nodes
        pods = lab.get("pods", "-n", "kube-system", "-l", "tier=control-plane,component!=etcd")["items"]
        images = {p["spec"]["containers"][0]["image"].rpartition(":")[2] for p in pods}
        assert (len(pods), images) == (9, {f"v{NEWER}"})
        versions = {n["status"]["nodeInfo"]["kubeletVersion"] for n in lab.get("nodes")["items"]}
        assert versions == {f"v{NEWER}"}
        lab.verify().ok()
        lab.unchanged().ok()
    finally:
        lab.remove()
    lab.receipt().ok()
