"""The pods verify asks from: stacklab/echo on every node, in a namespace that lives as long as the run.

A second pod, `guarded`, is what the NetworkPolicy check shuts off. Everything is removed with the namespace.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.base.errors import StacklabError
from modules.base.probe import pause
from modules.base.shell import Result
from modules.verify.kubectl import Kubectl
from modules.verify.web import Reply, from_line

PREFIX = "stacklab-verify-"
PROBE = "stacklab-probe"
GUARDED = "stacklab-guarded"
PORT = 8080
EVERY, SLOWEST = 0.3, 5.0
LABEL = "stacklab.dev/verify"
MANAGER = "stacklab-verify"
# By the name of who wrote it, a teacher's look at what students changed knows that it is none of theirs.
APPLY = ("apply", f"--field-manager={MANAGER}", "--filename", "-")


@dataclass(frozen=True)
class Pod:
    """A probe: where it runs and the address it has."""

    name: str
    node: str
    address: str


def manifest(namespace: str, image: str) -> dict[str, Any]:
    """The namespace and its pods, as data."""
    metadata = {"namespace": namespace, "labels": {LABEL: PROBE}}
    template = {
        "metadata": {"labels": {LABEL: PROBE}},
        "spec": {**_pod(image), "tolerations": [{"operator": "Exists"}]},
    }
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": {"app.kubernetes.io/managed-by": MANAGER}},
            },
            {
                "apiVersion": "apps/v1",
                "kind": "DaemonSet",
                "metadata": {**metadata, "name": PROBE},
                "spec": {"selector": {"matchLabels": {LABEL: PROBE}}, "template": template},
            },
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": GUARDED, "namespace": namespace, "labels": {LABEL: GUARDED}},
                "spec": _pod(image),
            },
        ],
    }


def _pod(image: str) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "echo",
                "image": image,
                "command": ["/echo"],
                "env": [{"name": "PORT", "value": str(PORT)}, {"name": "DRAIN_SECONDS", "value": "0"}],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


@dataclass(frozen=True)
class Running:
    """The pods once all run; until then `evidence` says how they stand."""

    probes: tuple[Pod, ...] = ()
    guarded: Pod | None = None
    evidence: str = ""


def running(items: Sequence[Mapping[str, Any]]) -> Running:
    """What the namespace's DaemonSet and pods say: one probe on every node, and the guarded pod."""
    pods = [item for item in items if item["kind"] == "Pod" and not item["metadata"].get("deletionTimestamp")]
    wanted = sum(item["status"].get("desiredNumberScheduled", 0) for item in items if item["kind"] == "DaemonSet")
    states = "; ".join(state_of(pod) for pod in pods if not _is_ready(pod)) or f"{len(pods)} pods run"
    if not all(_is_ready(pod) for pod in pods):
        return Running(evidence=states)
    probes = tuple(sorted((_pod_of(p) for p in pods if _role(p) == PROBE), key=lambda p: p.node))
    guarded = next((_pod_of(p) for p in pods if _role(p) == GUARDED), None)
    if not wanted or len(probes) < wanted or guarded is None:
        return Running(
            evidence=f"{len(probes)} of {wanted} probe pods run, {'with' if guarded else 'without'} the guarded one"
        )
    return Running(probes, guarded, states)


def _role(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"].get("labels", {}).get(LABEL, ""))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def _pod_of(pod: Mapping[str, Any]) -> Pod:
    return Pod(pod["metadata"]["name"], pod["spec"].get("nodeName", ""), pod["status"].get("podIP", ""))


class Probes:
    """The probes of one run: a thread of their own starts them, whoever needs them asks `ready`.

    A pod that is gone when it is asked (its node came back, somebody removed it) has a successor: the thread finds it.
    """

    def __init__(self, kubectl: Kubectl, image: str) -> None:
        self.namespace = PREFIX + secrets.token_hex(4)
        self._kubectl = kubectl
        self._image = image
        self._stop = threading.Event()
        self._settled = threading.Event()
        self._missed = threading.Event()
        self._running = Running(evidence="the probe pods were not asked for yet")
        self._starter = threading.Thread(target=self._start, daemon=True, name="probes")

    def __enter__(self) -> Probes:
        self._starter.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask for the namespace's end; the cluster does the rest. What is being created is waited for first."""
        self._stop.set()
        self._missed.set()
        self._starter.join()
        self._kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false", timeout=30)

    def ready(self, patience: float = 10) -> Running:
        """The pods; an error when they do not run yet."""
        running = self.now(patience)
        if not running.probes:
            raise StacklabError("there are no pods to ask from: see the check `probes`")
        return running

    def now(self, patience: float) -> Running:
        """How the pods stand, at once when they run, else after `patience` seconds."""
        self._settled.wait(patience)
        return self._running

    def get(self, pod: Pod, *urls: str, count: int = 1, timeout: float = 3, fail_fast: bool = False) -> list[Reply]:
        """`echo get` inside a probe: a reply for each request, also for those that failed."""
        options = [f"--count={count}", f"--timeout={timeout:g}s", *(["--fail-fast"] if fail_fast else [])]
        longest = (1 if fail_fast else count) * len(urls) * timeout + 30
        result = self._echo(pod, "get", *options, *urls, timeout=longest)
        lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise StacklabError(f"the probe on {pod.node} could not ask {urls[0]}", output=result.stderr)
        return [from_line(json.loads(line)) for line in lines]

    def lookup(self, pod: Pod, name: str) -> list[str]:
        """`echo lookup` inside a probe: the addresses, or an error with what DNS said."""
        result = self._echo(pod, "lookup", name, timeout=20)
        if result.code != 0:
            said = result.stderr.strip().splitlines() or ["no answer"]
            raise StacklabError(f"{pod.node}: {said[0]}")
        return result.stdout.split()

    def _echo(self, pod: Pod, *words: str, timeout: float) -> Result:
        asked = ("exec", "--namespace", self.namespace, pod.name, "--", "/echo", *words)
        result = self._kubectl(*asked, timeout=timeout, check=False)
        if "(NotFound)" in result.stderr and pod in (*self._running.probes, self._running.guarded):
            self._settled.clear()
            self._running = Running(evidence=f"{pod.name} on {pod.node} is gone")
            self._missed.set()
        return result

    def _start(self) -> None:
        text = json.dumps(manifest(self.namespace, self._image))
        applied = False
        since = time.monotonic()
        while not self._stop.is_set():
            try:
                if not applied:
                    self._kubectl(*APPLY, stdin=text, timeout=30)
                    applied = True
                self._running = running(self._kubectl.items("daemonsets,pods", "--namespace", self.namespace))
            except StacklabError as error:
                self._running = Running(evidence=error.in_one_line())
            if not self._running.probes:
                self._stop.wait(pause(time.monotonic() - since, EVERY, SLOWEST))
                continue
            self._settled.set()
            self._missed.wait()
            self._missed.clear()
            since = time.monotonic()
            applied = False  # the guarded pod has no successor of its own
        self._settled.set()


def state_of(pod: Mapping[str, Any]) -> str:
    """A pod in a few words: where it is, its phase, and why a container waits."""
    status = pod.get("status", {})
    waiting = [
        waits.get("reason", "waiting") + (f" ({waits['message'][:120]})" if waits.get("message") else "")
        for container in status.get("containerStatuses", [])
        if (waits := container.get("state", {}).get("waiting"))
    ]
    unscheduled = [
        condition.get("message", "")
        for condition in status.get("conditions", [])
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    where = pod["spec"].get("nodeName", "no node")
    return ", ".join(
        [f"{pod['metadata']['name']} on {where}: {status.get('phase', 'Unknown')}", *waiting, *unscheduled]
    )
