"""What every tool is given of a lab's mirrors, from the stack file's key to its own words: golden files.

After a change on purpose: REGENERATE=1 pytest tests/unit/mirrors, and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.artifacts.machine import registries
from modules.artifacts.sources.addresses import Mirrors as Downloads
from modules.artifacts.sources.reference import parse as reference
from modules.bootstrap.kubeadm import config as kubeadm
from modules.bootstrap.steps import images
from modules.cli.fetch import downloads
from modules.local.kind import config as kind
from modules.local.minikube import command, driver
from modules.resources import kind_cluster, minikube_cluster, nodes, prepared_machine
from modules.topology.model import LabSpec
from modules.topology.plan import LabPlan, plan
from tests.unit.bootstrap.wishes import payload
from tests.unit.local.cases import FRIENDLY, Tags

GOLDEN = Path(__file__).parent / "golden"
MADE = {"network": "stacklab-dev", "engine": "podman"}
OWN = {"country": "cn", "images": "https://mirror.example.com/k8s/", "registries": {"docker.io": "hub.example.com/d"}}
CASES: dict[str, dict[str, Any]] = {
    "cn": {"country": "cn"},
    "cn-with-own-entries": OWN,
    "cn-with-own-registry-for-kubernetes": {"country": "cn", "registries": {"registry.k8s.io": "k8s.example.com"}},
    "own-entries": {key: value for key, value in OWN.items() if key != "country"},
    "none": {},
}
FILES = ("https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl", "https://github.com/a/b/releases/download/v1/c")
IMAGES = (
    "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/coredns/coredns:v1.14.7",
    "docker.io/calico/node:v3.28.5",
    "quay.io/metallb/speaker:v0.15.2",
)


def lab(backend: str, mirrors: dict[str, Any]) -> LabPlan:
    machines = {"masters": [{"name": "m1", "address": "192.168.26.21"}], "workers": 0} if backend == "ssh" else {}
    spec = {"backend": backend, "kubernetes": "1.36.3", "mirrors": mirrors, **machines}
    return plan(LabSpec.model_validate(spec), "dev")


def of_kind(mirrors: dict[str, Any]) -> dict[str, Any]:
    spec = kind_cluster.spec_of({**kind_cluster.inputs_of(lab("kind", mirrors), "image"), **MADE})
    document = kind.document(spec, FRIENDLY, Tags(), Path("/lab/registries"))
    return {
        "containerd": document.get("containerdConfigPatches", []),
        "mounts": document["nodes"][-1].get("extraMounts", []),
        "files": registries.hosts(spec.registries),
    }


def of_minikube(mirrors: dict[str, Any]) -> dict[str, Any]:
    """The words that a lab without mirrors has not, and the files."""
    both = [minikube_cluster.inputs_of(lab("minikube", each), "image") for each in (mirrors, {})]
    profile, plain = (minikube_cluster.profile_of({**props, **MADE}) for props in both)
    words = [word for word in command.start(profile) if word not in command.start(plain)]
    return {"words": words, "files": driver.synced(profile)}


def of_kubeadm(mirrors: dict[str, Any], root: Path) -> dict[str, Any]:
    made = lab("ssh", mirrors)
    inputs = prepared_machine.inputs_of(made, made.machines[0])
    cluster = nodes.cluster_of({**nodes.lab_props(made), "masters": []}, "me")
    names = [registries.second_name(image.reference, inputs["repository"]) for image in payload(root).images]
    return {
        "imageRepository": kubeadm.cluster_configuration(cluster).get("imageRepository"),
        "images": [images.tag("IMAGE", name) for name in names if name],
        "files": registries.hosts_files(inputs["mirrors"]),
    }


def of_downloads(mirrors: dict[str, Any]) -> dict[str, Any]:
    found: Downloads = downloads(lab("kind", mirrors).mirrors)
    return {
        **{url: found.file(url) for url in FILES},
        **{image: found.repository(reference(image)) for image in IMAGES},
    }


@pytest.mark.parametrize("name", CASES)
def test_what_each_tool_is_given(name: str, tmp_path: Path) -> None:
    mirrors = CASES[name]
    given = {
        "kind": of_kind(mirrors),
        "minikube": of_minikube(mirrors),
        "kubeadm": of_kubeadm(mirrors, tmp_path),
        "downloads": of_downloads(mirrors),
    }
    file = GOLDEN / f"{name}.yaml"
    text = yaml.dump(given, Dumper=kind._Readable, sort_keys=False, width=1000)
    if os.environ.get("REGENERATE"):
        file.write_text(text)
    assert text == file.read_text()
