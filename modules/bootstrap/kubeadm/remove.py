"""A node leaves the cluster: cordon, drain, its member of etcd, the node's object; the machine itself when it answers.

Each step is fine when it was done before, so that a removal that was interrupted is finished by the next one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from modules.base.errors import CommandError, StacklabError
from modules.bootstrap.etcd import snapshot
from modules.bootstrap.kubeadm import kubectl, reset, state
from modules.bootstrap.kubeadm.kubectl import Api
from modules.bootstrap.kubeadm.running import Say
from modules.bootstrap.kubeadm.spec import Cluster, Node
from modules.bootstrap.kubeadm.state import Verdict
from modules.machines.remote import Remote

DRAIN, DRAIN_DEAD = 120, 20  # seconds
ANSWERS = 90  # an emulated API server may have no word to spare for a minute
DRAINED = "stacklab.local/drained"  # tells a cordon of ours, which an upgrade takes back, from one of the user's


def remove(cluster: Cluster, node: Node, remote: Remote, masters: Sequence[tuple[Node, Remote]], say: Say) -> None:
    """With the last master the cluster is gone: then only the machine is tidied."""
    answers = remote.answers()
    # A machine made anew answers too, but nobody there can end the pods of the one before.
    alive = answers and state.look(remote, cluster.owner, cluster.stack) is Verdict.OURS
    others = [r for _, r in masters if r.login.machine != node.name]
    if others:
        api = _api(node.name, others)
        if api.node(node.name) is not None:
            drain(api, node.name, say, alive=alive)
        forget(api, cluster, node, say)
    if answers:
        say(f"{node.name}: reset")
        reset.reset(remote)
    else:
        say(f"{node.name} does not answer: it was removed from the cluster only")


def _api(name: str, masters: Sequence[Remote]) -> Api:
    try:
        return kubectl.need_healthy(masters, timeout=ANSWERS)
    except StacklabError as error:
        raise StacklabError(
            f"{name} cannot leave the cluster: {error.what}",
            where=name,
            output=error.output,
            hint="bring a master back, then pulumi up again; to give up the whole lab: pulumi destroy",
        ) from None


def forget(api: Api, cluster: Cluster, node: Node, say: Say) -> None:
    """The cluster without this node: its member of etcd first, for without quorum nothing could be deleted."""
    if node.master and not cluster.etcd:
        _leave_etcd(api.master, node, say)
    if api.node(node.name) is not None:
        say(f"{node.name}: its node is deleted")
        api.kubectl("delete", "node", node.name, "--wait=false", timeout=60)


def drain(api: Api, name: str, say: Say, *, alive: bool = True) -> None:
    """Pods go elsewhere; what is left when time is up is named. On a machine that is gone nobody can end them."""
    seconds = DRAIN if alive else DRAIN_DEAD
    say(f"{name}: cordon and drain, {seconds} s at most")
    api.kubectl("annotate", "node", name, "--overwrite", f"{DRAINED}=true")
    api.kubectl("cordon", name)
    words = ["drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={seconds}s"]
    if not alive:
        words += ["--grace-period=0", "--disable-eviction"]
    # Not Api.kubectl: its time-out for each request is for questions, and this one waits.
    script = f"KUBECONFIG=/etc/kubernetes/admin.conf kubectl {shlex.join(words)}"
    try:
        api.master.run(script, timeout=seconds + 30)
    except CommandError as error:
        say(f"{name}: not empty after {seconds} s, given up: {_left(api, name)} ({error.in_one_line()})")


def drained(node: Mapping[str, Any]) -> bool:
    """Whether it is us who keep pods away from the node."""
    return DRAINED in node["metadata"].get("annotations", {})


def uncordon(api: Api, name: str) -> None:
    """Pods may come again."""
    api.kubectl("uncordon", name)
    api.kubectl("annotate", "node", name, f"{DRAINED}-")


def _left(api: Api, name: str) -> str:
    said = api.kubectl("get", "pods", "-A", f"--field-selector=spec.nodeName={name}", "-o", "json", check=False).stdout
    try:
        items = json.loads(said)["items"]
    except (ValueError, KeyError):
        return "nothing that could be asked for"
    pods = [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in items
        if not any(owner["kind"] in ("DaemonSet", "Node") for owner in pod["metadata"].get("ownerReferences", []))
    ]
    return ", ".join(pods) or "nothing"


def _leave_etcd(master: Remote, node: Node, say: Say) -> None:
    listed = json.loads(master.run(snapshot.inside("member", "list", "-w", "json"), timeout=60).stdout)
    for member in listed["members"]:
        if member.get("name") == node.name or f"https://{node.address}:2380" in member.get("peerURLs", []):
            say(f"{node.name}: its member of etcd is removed")
            master.run(snapshot.inside("member", "remove", f"{member['ID']:x}"), timeout=60)
