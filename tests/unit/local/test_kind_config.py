"""kind's configuration as text: one golden file for each kind of lab and host.

After a change on purpose: REGENERATE=1 pytest tests/unit/local, and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from modules.host.facts import NodeHost
from modules.local.kind import config, shim
from modules.local.kind.spec import ClusterSpec
from tests.unit.local.cases import CASES, FRIENDLY, LABELS, RESTRICTED, Tags, spec

GOLDEN = Path(__file__).parent / "golden"


def agrees(text: str, name: str) -> None:
    file = GOLDEN / name
    if os.environ.get("REGENERATE"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", CASES)
def test_configuration_is_the_golden_one(name: str) -> None:
    lab, host = CASES[name]
    agrees(config.render(lab, host, Tags()), f"{name}.yaml")


@pytest.mark.parametrize("name", CASES)
def test_shim_is_the_golden_one(name: str) -> None:
    lab, host = CASES[name]
    binary = f"/usr/bin/{host.engine}"
    text = shim.render(lab, engine=host.engine, binary=binary, labels=LABELS, modules=host.modules_dir)
    agrees(text, f"{name}.sh")


def patch(lab: ClusterSpec, host: NodeHost, kind: str) -> dict[str, object] | None:
    """The kubeadm patch of that kind, as kind will read it."""
    found = [yaml.safe_load(text) for text in config.document(lab, host, Tags())["kubeadmConfigPatches"]]
    return next((p for p in found if p["kind"] == kind), None)


def test_kubelet_is_told_of_an_old_cgroup_version_only_where_it_is_old() -> None:
    old = patch(spec(), replace(FRIENDLY, cgroup_v1=True), "KubeletConfiguration")
    assert old == {"kind": "KubeletConfiguration", "failCgroupV1": False}
    assert patch(spec(), FRIENDLY, "KubeletConfiguration") is None


def test_no_patch_names_a_version_of_kubeadms_own_configuration() -> None:
    """kind writes v1beta3 up to Kubernetes 1.35 and v1beta4 from 1.36 on; a patch without one fits both."""
    for text in config.document(spec(3, 0), RESTRICTED, Tags())["kubeadmConfigPatches"]:
        assert "apiVersion" not in yaml.safe_load(text)


def test_a_worker_is_no_name_of_the_api() -> None:
    names = patch(spec(3, 1), FRIENDLY, "ClusterConfiguration")
    assert names
    assert names["apiServer"] == {
        "certSANs": [
            *("localhost", "127.0.0.1"),
            *("stacklab-dev-control-plane", "10.201.7.11"),
            *("stacklab-dev-control-plane2", "10.201.7.12"),
            *("stacklab-dev-control-plane3", "10.201.7.13"),
            *("stacklab-dev-external-load-balancer", "10.201.7.10"),
        ]
    }
