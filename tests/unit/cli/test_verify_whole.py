"""`stacklab verify` from the command line to kubectl: only the lab itself, its outputs and the store are stand-ins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import addons
from modules.base.errors import HostError
from modules.cli import main as entry
from modules.cli import stacks
from modules.machines.libvirt.lifecycle import VirtualMachines
from modules.topology import promises
from modules.topology.known import Known
from modules.topology.parse import parse
from tests.unit.verify.conftest import MACHINES, probe_items
from tests.unit.verify.kubectl_fake import FakeKubectl, line

NODES = [
    {
        "metadata": {"name": m.name},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": m.address}],
            "nodeInfo": {"kubeletVersion": "v1.36.3"},
        },
    }
    for m in MACHINES
]
SPEC = {"backend": "kind", "addons": ["calico", "metrics-server"], "apps": [{"name": "kubia", "replicas": 2}]}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
    kubectl = FakeKubectl(tmp_path / "kubectl")
    kubectl.on("get --raw /readyz", stdout="ok")
    kubectl.on("apply", "DaemonSet")
    kubectl.on("get daemonsets,pods", stdout={"items": probe_items()})
    kubectl.on("delete namespace")
    kubectl.on("get nodes", stdout={"items": NODES})
    kubectl.on("get service kubernetes", stdout={"spec": {"clusterIP": "10.96.0.1"}})
    kubectl.on("echo lookup", stdout="10.96.0.1\n")
    for asked, others in (("probe-0", "12"), ("probe-1", "02"), ("probe-2", "01")):
        lines = [json.dumps({"status": 200, "body": {"pod": f"probe-{n}"}}) for n in others]
        kubectl.on(f"{asked} -- /echo get", stdout="\n".join(lines))
    guarded = "get --count=1 --timeout=1s http://10.244.2.3:8080/"
    kubectl.on("http://10.244.2.3:8080/", stdout=line())
    kubectl.on(guarded, stdout=line(status=0, error="deadline exceeded"), code=1, needs="denied")
    kubectl.on("apply", "NetworkPolicy", makes="denied")
    kubectl.on("delete networkpolicy", drops="denied")
    kubectl.on("top nodes", stdout="".join(f"{m.name} 1m 1% 1Mi 1%\n" for m in MACHINES))
    kubectl.on("top pods", stdout="default kubia-0 1m 1Mi\n")
    kubectl.on("get deployment kubia", stdout=deployment(ready=2))
    outputs: dict[str, Any] = {
        "kubeconfigFile": os.fspath(tmp_path / "kubeconfig"),
        "machines": [{"name": m.name, "role": m.role, "address": m.address} for m in MACHINES],
        "exposures": [],
    }
    known = Known(kubernetes=("1.36.3",), addons=addons.facts())
    monkeypatch.setattr(stacks, "load", lambda stack: parse(SPEC, known))
    monkeypatch.setattr("modules.pulumi_home.stack_outputs", lambda stack: outputs)
    monkeypatch.setattr("modules.artifacts.binary", lambda name: kubectl.path)
    return kubectl


def deployment(ready: int) -> dict[str, Any]:
    status = {"observedGeneration": 1, "readyReplicas": ready, "updatedReplicas": 2}
    return {"metadata": {"generation": 1}, "spec": {}, "status": status}


def test_a_healthy_lab(lab: FakeKubectl) -> None:
    ran = CliRunner().invoke(entry.build(), ["verify", "dev", "--json", "--timeout", "20"])
    found = json.loads(ran.stdout)
    assert [(c["name"], c["ok"]) for c in found["checks"]] == [
        (name, True)
        for name in ("nodes", "probes", "dns", "pod-to-pod", "network-policy", "metrics", "kubia/deployment")
    ], found
    assert (ran.exit_code, found["ok"]) == (0, True)
    assert "stacklab-verify-" in lab.calls[-1]


def test_a_sick_lab(lab: FakeKubectl) -> None:
    lab.on("get deployment kubia", stdout=deployment(ready=1))
    ran = CliRunner().invoke(entry.build(), ["verify", "dev", "--timeout", "1"])
    assert ran.exit_code == 1
    assert "1 of 2 ready" in ran.stdout
    assert ran.stdout.splitlines()[-2] == promises.summary("kind")
    assert "6 of 7 checks ok" in ran.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("backend", "emulated", "words", "seconds"),
    [
        ("kind", None, [], 90),
        ("libvirt", False, [], 90),
        ("libvirt", True, [], 900),
        ("libvirt", None, [], 900),
        ("libvirt", True, ["5"], 5),
    ],
)
def test_emulated_machines_are_given_more_time(
    lab: FakeKubectl,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    emulated: bool | None,
    words: list[str],
    seconds: float,
) -> None:
    def asked(_: VirtualMachines) -> bool:
        if emulated is None:
            raise HostError("libvirt does not answer")
        return emulated

    monkeypatch.setattr(VirtualMachines, "emulated", asked)
    given: list[float] = []
    known = Known(kubernetes=("1.36.3",), addons=addons.facts())
    monkeypatch.setattr(stacks, "load", lambda stack: parse({**SPEC, "backend": backend}, known))

    def run(context: Any, checks: Any, *, timeout: float, on_finding: Any) -> list[Any]:
        given.append(timeout)
        return []

    monkeypatch.setattr("modules.verify.run.verify", run)
    CliRunner().invoke(entry.build(), ["verify", "dev", *(["--timeout", *words] if words else [])])
    assert given == [seconds]
