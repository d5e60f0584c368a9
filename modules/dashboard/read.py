"""What the Kubernetes API says, as the dashboard's data. Pure: lists of objects in, a Cluster out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from modules.dashboard.model import Cluster, Event, Figure, Machine, Pod, Tone
from modules.dashboard.quantity import number
from modules.verify.lab import NAMESPACE, Lab
from modules.verify.lab import Machine as Planned

EVENTS = 40
APP = "app.kubernetes.io/name"
NEVER = datetime.min.isoformat() + "+00:00"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """The lists that one look brought: of nodes, of pods, of events, and what metrics-server has measured."""

    nodes: Sequence[Object]
    pods: Sequence[Object]
    events: Sequence[Object]
    node_metrics: Sequence[Object] = ()
    pod_metrics: Sequence[Object] = ()
    unmeasured: str = ""


def cluster(lab: Lab, answers: Answers) -> Cluster:
    """Machines in the order of the stack's outputs, pods by app and name, the newest events first."""
    usage = {_name(m): m.get("usage", {}) for m in answers.node_metrics}
    count: dict[str, int] = {}
    for item in answers.pods:
        if item.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            node = item["spec"].get("nodeName", "")
            count[node] = count.get(node, 0) + 1
    nodes = {_name(node): node for node in answers.nodes}
    planned = {machine.name: machine for machine in lab.machines}
    names = [*planned, *sorted(nodes.keys() - planned.keys())]
    machines = tuple(
        replace(_machine(name, planned.get(name), nodes.get(name), usage.get(name, {})), pods=count.get(name, 0))
        for name in names
    )
    measured = {(m["metadata"].get("namespace", ""), _name(m)): m for m in answers.pod_metrics}
    apps = {app.name for app in lab.apps}
    pods = (_pod(item, apps, measured) for item in answers.pods)
    return Cluster(
        machines=machines,
        pods=tuple(sorted(pods, key=lambda p: (not p.app, p.app, p.namespace, p.name))),
        events=_events(answers.events),
        version=", ".join(sorted({m.version for m in machines if m.version})),
        unmeasured=answers.unmeasured,
    )


def _machine(name: str, planned: Planned | None, node: Object | None, usage: Object) -> Machine:
    role, address = (planned.role, planned.address) if planned else ("node", "")
    if node is None:
        why = "the cluster has no node of this name: pulumi refresh tells whether the machine is gone"
        return Machine(name, role, address, "bad", "Missing", why)
    status = node.get("status", {})
    address = address or next((a["address"] for a in status.get("addresses", []) if a["type"] == "InternalIP"), "")
    tone, word, why = _standing(node)
    room = status.get("allocatable", {})
    return Machine(
        name=name,
        role=role,
        address=address,
        tone=tone,
        word=word,
        why=why,
        version=status.get("nodeInfo", {}).get("kubeletVersion", ""),
        cpu=Figure(number(usage.get("cpu")), number(room.get("cpu"))),
        memory=Figure(number(usage.get("memory")), number(room.get("memory"))),
    )


def _standing(node: Object) -> tuple[Tone, str, str]:
    """A node is Ready, cordoned, under pressure, or not Ready."""
    conditions = {c["type"]: c for c in node.get("status", {}).get("conditions", [])}
    ready = conditions.get("Ready", {})
    if ready.get("status") != "True":
        return "bad", "Not ready", ready.get("message") or "its kubelet says nothing"
    pressure = [c for kind, c in conditions.items() if kind != "Ready" and c["status"] == "True"]
    if pressure:
        return "wait", pressure[0]["type"], pressure[0].get("message", "")
    if node.get("spec", {}).get("unschedulable"):
        return "wait", "Cordoned", "no new pods are placed here"
    return "good", "Ready", ""


def _pod(item: Object, apps: set[str], measured: Mapping[tuple[str, str], Object]) -> Pod:
    meta, status = item["metadata"], item.get("status", {})
    namespace = meta.get("namespace", "")
    label = (meta.get("labels") or {}).get(APP, "")
    containers = status.get("containerStatuses") or []
    tone, word, why = _state(item)
    usage = [c.get("usage", {}) for c in measured.get((namespace, meta["name"]), {}).get("containers", [])]
    return Pod(
        namespace=namespace,
        name=meta["name"],
        node=item["spec"].get("nodeName", ""),
        app=label if namespace == NAMESPACE and label in apps else "",
        tone=tone,
        word=word,
        why=why,
        address=status.get("podIP", ""),
        restarts=sum(c.get("restartCount", 0) for c in containers),
        cpu=_sum(number(u.get("cpu")) for u in usage),
        memory=_sum(number(u.get("memory")) for u in usage),
    )


FAILING = ("BackOff", "Err", "Error", "Invalid", "Failed", "CannotRun")


def _state(item: Object) -> tuple[Tone, str, str]:
    """A pod in one word, as kubectl get pods has it, and the cluster's own sentence when it is not well."""
    status = item.get("status", {})
    phase = status.get("phase", "Unknown")
    if item["metadata"].get("deletionTimestamp"):
        return "wait", "Terminating", ""
    if phase == "Succeeded":
        return "plain", "Completed", ""
    if phase == "Failed":
        return "bad", status.get("reason") or "Failed", status.get("message", "")
    states = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for container in states:
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            reason = waiting["reason"]
            bad = any(word in reason for word in FAILING)
            return "bad" if bad else "wait", reason, waiting.get("message", "")
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True":
        return "good", "Running", ""
    placed = conditions.get("PodScheduled", {})
    if placed.get("status") == "False":
        return "wait", "Pending", placed.get("message", "")
    return "wait", "Starting" if phase == "Pending" else "Not ready", conditions.get("Ready", {}).get("message", "")


def _events(items: Sequence[Object]) -> tuple[Event, ...]:
    newest = sorted(items, key=_time, reverse=True)[:EVENTS]
    return tuple(_event(item) for item in newest)


def _event(item: Object) -> Event:
    about = item.get("involvedObject") or item.get("regarding") or {}
    where = f"{about['namespace']}/" if about.get("namespace") else ""
    seen = (item.get("series") or {}).get("count") or item.get("count") or 1
    when = _time(item)
    return Event(
        when=None if when == NEVER else datetime.fromisoformat(when),
        tone="plain" if item.get("type", "Normal") == "Normal" else "bad",
        reason=item.get("reason") or "",
        about=f"{about.get('kind', '')} {where}{about.get('name', '')}".strip(),
        message=item.get("message") or item.get("note") or "",
        count=int(seen),
    )


def _time(item: Object) -> str:
    """When it was seen last; all are UTC in one form, so that their text sorts as they do."""
    series = item.get("series") or {}
    found = (
        series.get("lastObservedTime")
        or item.get("lastTimestamp")
        or item.get("eventTime")
        or item.get("metadata", {}).get("creationTimestamp")
    )
    return str(found).replace("Z", "+00:00") if found else NEVER


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
