"""Labs on machines reached over SSH, as tests write them: m1, m2, ... are masters, w1, w2, ... workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from modules.base.probe import Answer, wait_for
from tests.support.labs import Lab
from tests.support.machines import Machines
from tests.support.project import Project

BEFORE, AFTER = "1.35.4", "1.36.3"


def addresses(subnet: str, masters: int, workers: int) -> dict[str, str]:
    """Machine -> its address; subnet: the first three parts of them."""
    found = {f"m{n}": f"{subnet}.{10 + n}" for n in range(1, masters + 1)}
    return found | {f"w{n}": f"{subnet}.{20 + n}" for n in range(1, workers + 1)}


def network(subnet: str) -> dict[str, str]:
    return {"machines": f"{subnet}.0/24", "loadbalancers": f"{subnet}.200-{subnet}.220"}


def spec(made: Machines, masters: int, workers: int, **changed: Any) -> dict[str, Any]:
    """A lab on the first of these machines, with the least that makes its nodes ready."""

    def listed(kind: str, count: int) -> list[dict[str, Any]]:
        return [{"name": f"{kind}{n}", "address": made.addresses[f"{kind}{n}"]} for n in range(1, count + 1)]

    return {
        "backend": "ssh",
        "kubernetes": AFTER,
        "masters": listed("m", masters),
        "workers": listed("w", workers),
        "network": network(made.addresses["m1"].rpartition(".")[0]),
        "ssh": {"user": "root", "key": str(made.key)},
        "addons": ["calico"],
        "apps": [],
        **changed,
    }


@contextmanager
def lab_of(project: Project, stack: str, lab: dict[str, Any]) -> Iterator[Lab]:
    """Removed at the end, also when its machines cannot be asked any more."""
    made = Lab.of(project, stack, lab)
    try:
        yield made
    finally:
        leaving = Project(project.folder, {**project.env, "STACKLAB_LEAVE": "all"})
        Lab(leaving, stack, made.spec).remove()


def refused_in_a_preview(lab: Lab, change: dict[str, Any], said: str) -> None:
    before = dict(lab.spec)
    lab.spec |= change
    lab.save()
    refused = lab.project.pulumi("preview", stack=lab.stack)
    lab.spec = before
    lab.save()
    assert refused.code != 0
    assert said in refused.output


def nodes(lab: Lab) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in lab.get("nodes")["items"]}


def ready(lab: Lab) -> dict[str, bool]:
    def good(node: dict[str, Any]) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])

    return {name: good(node) for name, node in nodes(lab).items()}


def all_ready(lab: Lab, *names: str, timeout: float = 120) -> None:
    def look() -> Answer[bool]:
        try:
            seen = ready(lab)
        except AssertionError as error:
            return Answer(None, str(error)[-300:])
        return Answer(seen == dict.fromkeys(names, True) or None, str(seen))

    wait_for("all nodes are ready", look, timeout=timeout, every=1)


def all_run(lab: Lab, kubernetes: str, *names: str) -> None:
    """Kubelets, API servers and kube-proxy have this version, and all nodes take pods."""
    all_ready(lab, *names)
    found = nodes(lab)
    assert {n["status"]["nodeInfo"]["kubeletVersion"] for n in found.values()} == {f"v{kubernetes}"}
    assert not [name for name, node in found.items() if node["spec"].get("unschedulable")]
    pods = lab.get("pods", "-n", "kube-system", "-l", "component=kube-apiserver")["items"]
    assert {c["image"].rpartition(":")[2] for p in pods for c in p["spec"]["containers"]} == {f"v{kubernetes}"}
    proxy = lab.get("daemonset", "kube-proxy", "-n", "kube-system")["spec"]["template"]["spec"]["containers"][0]
    assert proxy["image"].endswith(f":v{kubernetes}")
