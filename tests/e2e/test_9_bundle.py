"""Labs out of one bundle, in a room without any way out; the same file on each backend that runs in containers.

The room's engine holds nothing and its cache is empty: every byte of the labs comes from the bundle.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.host.engine import choose
from modules.topology.mirrors import COUNTRIES
from tests.support.labs import Lab, tear_down
from tests.support.project import CHECKOUT, Project
from tests.support.wall import wall

GB = 1e9
MOST = 1.5 * GB
MIRRORS = COUNTRIES["cn"]
APP = {"name": "hello", "replicas": 2, "expose": [{"clusterip": {}}, {"nodeport": {}}, {"loadbalancer": {}}]}
# Not one key that only some backends have.
SAME: dict[str, Any] = {
    "workers": 1,
    "addons": ["calico", "metallb", "metrics-server"],
    "apps": [APP],
    "mirrors": {"country": "cn"},
}
CONTROL_PLANE = {"kind": "registry.k8s.io", "minikube": MIRRORS.images}


@pytest.fixture(scope="module")
def bundle(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the dev stack and a lab on minikube need, out of this user's cache."""
    dev = yaml.safe_load((CHECKOUT / "stacks" / "Pulumi.dev.yaml").read_text())["config"]["stacklab:lab"]
    labs = {"walled-dev": dev, "walled-minikube": {**SAME, "backend": "minikube"}}
    for name, lab in labs.items():
        project.write(name, lab)
    file = tmp_path_factory.mktemp("bundle") / "lab.tar"
    told = project.run("stacklab", "bundle", "-o", str(file), "--json", *labs, timeout=300).ok().output
    assert json.loads(told)["stacks"] == list(labs)
    for name in labs:
        project.stack_file(name).unlink()
    return file


@pytest.fixture(scope="module")
def room(bundle: Path) -> Iterator[Project]:
    """A project that reaches nothing: no network, no cache, no images."""
    folder = CHECKOUT / ".stacklab" / "e2e-walled"
    shutil.rmtree(folder, ignore_errors=True)
    with wall(folder / "engine") as inside:
        project = Project.bare(folder, {"STACKLAB_CACHE": str(folder / "cache")}, inside)
        yield project
        if project.env.get("PULUMI_HOME"):
            tear_down(project)
    shutil.rmtree(folder)


def test_the_bundle_is_small(bundle: Path) -> None:
    """The dev stack's alone is smaller still."""
    assert bundle.stat().st_size <= MOST


def test_the_room_has_no_way_out(room: Project) -> None:
    assert room.run("ip", "route").ok().output == ""
    assert room.run("getent", "hosts", "registry.k8s.io").code == 2
    assert room.run("env").ok().output.lower().count("_proxy=") == 0


def test_without_the_bundle_there_is_nothing(room: Project, bundle: Path) -> None:
    room.write("walled", {**SAME, "backend": "kind", "sources": "upstream"})
    refused = room.run("stacklab", "fetch", "walled")
    assert refused.code == 2
    assert "no source of artifacts is in reach" in refused.output
    room.write("walled", {**SAME, "backend": "kind", "addons": ["flannel", "metallb"], "sources": f"bundle:{bundle}"})
    refused = room.run("stacklab", "fetch", "walled")
    assert refused.code == 2
    assert "binary/flanneld" in refused.output
    assert "walled: is not in the bundle" in refused.output


@pytest.mark.parametrize("backend", ["kind", pytest.param("minikube", marks=pytest.mark.long)])
def test_the_same_file_makes_the_same_lab_on_each_backend_out_of_the_bundle(
    room: Project, bundle: Path, backend: str
) -> None:
    room.write("walled", {**SAME, "backend": backend, "sources": f"bundle:{bundle}"})
    seconds = {"fetch": timed(lambda: room.run("stacklab", "fetch", "walled", timeout=400).ok())}
    room.prepare()
    lab = Lab.of(room, "walled", {**SAME, "backend": backend, "sources": f"bundle:{bundle}"})
    seconds["up"] = timed(lambda: lab.up().ok())
    try:
        verified(lab)
        nodes = lab.get("nodes")["items"]
        assert [bool(node["spec"].get("taints")) for node in nodes] == [True, False]
        mirrored(lab, backend)
        lab.unchanged().ok()
    finally:
        lab.remove()
    lab.receipt().ok()
    print(f"{backend} out of {bundle.stat().st_size / GB:.2f} GB: {seconds}")


def verified(lab: Lab) -> None:
    """The room goes with the test: what a failure is read from is kept in its message."""
    ran = lab.verify()
    if ran.code != 0:
        speakers = lab.kubectl("logs", "-n", "metallb-system", "-l", "component=speaker", "--tail=60").output
        neighbours = lab.project.run("ip", "neigh").output
        raise AssertionError(f"{ran.output}\n{speakers}\n{neighbours}")


def timed(work: Any) -> float:
    begun = time.monotonic()
    work()
    return round(time.monotonic() - begun, 1)


def mirrored(lab: Lab, backend: str) -> None:
    """Machines and Kubernetes know of the country's mirrors, and came up without one of them in reach."""
    engine = choose()
    enter = ("env", *(f"{key}={value}" for key, value in engine.env.items()), engine.binary, "exec")
    for machine in lab.outputs()["machines"]:
        inside = (*enter, machine["name"])
        for registry, mirror in MIRRORS.registries.items():
            text = lab.project.run(*inside, "cat", f"/etc/containerd/certs.d/{registry}/hosts.toml").ok().output
            assert f'[host."{mirror}"]' in text
        config = lab.project.run(*inside, "containerd", "config", "dump").ok().output
        assert "/etc/containerd/certs.d" in config
    pods = lab.get("pods", "-n", "kube-system", "-l", "component=kube-apiserver")["items"]
    image = pods[0]["spec"]["containers"][0]["image"]
    assert image.rpartition("/")[0] == CONTROL_PLANE[backend]
