"""Measures a running lab for the table of footprints. `digest` and `joined` are pure; `look` reads containers.

A machine's own part is what its container takes without the pods of addons and apps. Memory is what processes and the
kernel hold for it, without the files in memory: those belong to the image that all labs share, and are charged to
whichever lab read them first (seen: 300 MiB more for one of two equal labs).
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.base import shell
from modules.classroom.footprint import MIB
from modules.host.engine import Engine

WINDOW = 20.0
STEP = 5  # MiB and thousandths of a core, rounded up
# Where the pods of an addon are found: namespace, and how their names begin.
ADDON_PODS: Mapping[str, tuple[str, str]] = {
    "calico": ("kube-system", "calico-"),
    "flannel": ("kube-flannel", ""),
    "local-path": ("local-path-storage", ""),
    "metallb": ("metallb-system", ""),
    "metrics-server": ("kube-system", "metrics-server"),
    "traefik": ("traefik", ""),
}
APPS = "default"


@dataclass(frozen=True)
class MachineSeen:
    """One machine: bytes, thousandths of a core, bytes, instances."""

    name: str
    role: str
    memory: float
    cpu: float
    disk: float
    inotify: int


@dataclass(frozen=True)
class PodSeen:
    """One pod; `everywhere` when there is one on each machine."""

    namespace: str
    name: str
    machine: str
    memory: float
    cpu: float
    everywhere: bool


def digest(machines: Sequence[MachineSeen], pods: Sequence[PodSeen]) -> dict[str, Any]:
    """The figures of one lab, in the table's units: machines by role, addons, a pod of an app."""
    extra: dict[str, list[PodSeen]] = {}
    for pod in pods:
        if owner := _owner(pod):
            extra.setdefault(owner, []).append(pod)
    on = {m.name: [p for found in extra.values() for p in found if p.machine == m.name] for m in machines}
    roles: dict[str, Any] = {}
    for role in sorted({m.role for m in machines}):
        same = [m for m in machines if m.role == role]
        roles[role] = {
            "memory": _up(statistics.mean(m.memory - sum(p.memory for p in on[m.name]) for m in same) / MIB),
            "cpu": _up(statistics.mean(max(m.cpu - sum(p.cpu for p in on[m.name]), 0) for m in same)),
            "disk": _up(statistics.mean(m.disk for m in same) / MIB),
            "inotify": max(m.inotify for m in same),
        }
    found: dict[str, Any] = {"machines": roles, "addons": {}}
    for owner, seen in sorted(extra.items()):
        if owner == APPS:
            found["pod"] = _amount(seen, len(seen))
        else:
            once = [p for p in seen if not p.everywhere]
            each = [p for p in seen if p.everywhere]
            found["addons"][owner] = {"lab": _amount(once, 1), "machine": _amount(each, len(machines))}
    return found


def joined(table: Mapping[str, Any], backend: str, figures: Mapping[str, Any], note: str) -> dict[str, Any]:
    """The table with a lab's figures in the place of older ones."""
    machines = {**table["machines"], backend: {**table["machines"].get(backend, {}), **figures["machines"]}}
    return {
        **table,
        "machines": machines,
        "addons": dict(sorted({**table["addons"], **figures["addons"]}.items())),
        "pod": figures.get("pod", table["pod"]),
        "measured": [*(line for line in table.get("measured") or [] if line != note), note],
    }


def _owner(pod: PodSeen) -> str:
    """The addon or APPS; "" for what belongs to Kubernetes itself."""
    if pod.namespace == APPS:
        return APPS
    found = (
        name
        for name, (space, begins) in ADDON_PODS.items()
        if (space, pod.name[: len(begins)]) == (pod.namespace, begins)
    )
    return next(found, "")


def _amount(pods: Sequence[PodSeen], count: int) -> dict[str, int]:
    return {
        "memory": _up(sum(p.memory for p in pods) / count / MIB, 1),
        "cpu": _up(sum(p.cpu for p in pods) / count, 1),
    }


def _up(number: float, step: int = STEP) -> int:
    return math.ceil(max(number, 0) / step) * step


# -- reading ---------------------------------------------------------------------------------------------------------


def look(
    outputs: Mapping[str, Any], engine: Engine, kubectl: Path, window: float = WINDOW
) -> tuple[list[MachineSeen], list[PodSeen]]:
    """A lab in containers as it is now; takes as long as the window (in seconds) that CPU is counted in."""
    ids = {m["name"]: _container(engine, m["name"]) for m in outputs["machines"]}
    before = {name: (_cpu(entry), time.monotonic()) for name, entry in ids.items()}
    time.sleep(window)  # not a wait for something: the time in which CPU is counted
    machines = []
    for machine in outputs["machines"]:
        entry = ids[machine["name"]]
        used, since = before[machine["name"]]
        rate = (_cpu(entry) - used) / (time.monotonic() - since) * 1000
        machines.append(
            MachineSeen(machine["name"], machine["role"], _memory(entry), rate, _disk(engine, entry), _inotify(entry))
        )
    names = [machine.name for machine in machines]
    return machines, list(_pods(kubectl, str(outputs["kubeconfigFile"]), names))


@dataclass(frozen=True)
class _Entry:
    name: str
    id: str
    volumes: tuple[Path, ...]
    cgroups: Mapping[str, Path]


def _container(engine: Engine, name: str) -> _Entry:
    (found,) = json.loads(engine.run("inspect", name, timeout=30).stdout)
    mounts = tuple(Path(m["Source"]) for m in found["Mounts"] if m.get("Type") == "volume")
    lines = Path(f"/proc/{found['State']['Pid']}/cgroup").read_text().splitlines()
    return _Entry(name, found["Id"], mounts, cgroups(lines, found["Id"]))


def cgroups(lines: Iterable[str], container: str) -> Mapping[str, Path]:
    """Controller -> folder of the whole container, from /proc/<pid>/cgroup; "" is the unified hierarchy."""
    found: dict[str, Path] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        parts = Path(path).parts
        upto = next((n for n, part in enumerate(parts) if container in part), None)
        if upto is None:
            continue
        inside = Path(*parts[1 : upto + 1])
        for controller in controllers.split(","):
            mount = Path("/sys/fs/cgroup") / controllers if controllers else Path("/sys/fs/cgroup")
            found[controller] = mount / inside
    return found


def _memory(entry: _Entry) -> float:
    """Its processes' own memory and the kernel's for it."""
    if "memory" in entry.cgroups:
        folder = entry.cgroups["memory"]
        rows = _rows(folder / "memory.stat")
        kernel = int((folder / "memory.kmem.usage_in_bytes").read_text())
        return rows["total_rss"] + rows.get("total_shmem", 0) + kernel
    rows = _rows(entry.cgroups[""] / "memory.stat")
    return rows["anon"] + rows["shmem"] + rows.get("kernel", rows.get("slab", 0) + rows.get("kernel_stack", 0))


def _rows(file: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}


def _cpu(entry: _Entry) -> float:
    """Seconds of CPU since the container began."""
    if "cpuacct" in entry.cgroups:
        return int((entry.cgroups["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
    return _rows(entry.cgroups[""] / "cpu.stat")["usage_usec"] / 1e6


def _disk(engine: Engine, entry: _Entry) -> float:
    (found,) = json.loads(engine.run("inspect", "--size", entry.name, timeout=120).stdout)
    kept = [int(shell.run(["du", "-sxB1", path], timeout=120).stdout.split()[0]) for path in entry.volumes]
    return float(found.get("SizeRw") or 0) + sum(kept)


def _inotify(entry: _Entry) -> int:
    folder = entry.cgroups.get("pids") or entry.cgroups.get("memory") or entry.cgroups[""]
    count = 0
    for file in folder.rglob("cgroup.procs"):
        for pid in file.read_text().split():
            count += _instances(Path("/proc") / pid / "fd")
    return count


def _instances(folder: Path) -> int:
    try:
        return sum(entry.readlink().name == "anon_inode:inotify" for entry in folder.iterdir())
    except OSError:  # it has ended meanwhile
        return 0


def _pods(kubectl: Path, kubeconfig: str, machines: Sequence[str]) -> Iterable[PodSeen]:
    def asked(*words: str) -> Any:
        return json.loads(shell.run([kubectl, "--kubeconfig", kubeconfig, *words], timeout=60).stdout)

    everywhere = {
        (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in asked("get", "pods", "--all-namespaces", "--output=json")["items"]
        if any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences", ()))
    }
    for machine in machines:
        for pod in asked("get", "--raw", f"/api/v1/nodes/{machine}/proxy/stats/summary")["pods"]:
            this = (pod["podRef"]["namespace"], pod["podRef"]["name"])
            memory = pod.get("memory", {}).get("rssBytes", 0)
            cpu = pod.get("cpu", {}).get("usageNanoCores", 0) / 1e6
            yield PodSeen(*this, machine, memory, cpu, this in everywhere)
