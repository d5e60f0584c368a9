"""One machine becomes a node of the lab's cluster: looked at first, reset when it was left half made, then joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modules.base.errors import StacklabError
from modules.bootstrap import endpoint
from modules.bootstrap.engine import apply
from modules.bootstrap.kubeadm import config, credentials, init, kubectl, nodes, remove, reset, running, state
from modules.bootstrap.kubeadm.running import RUN, Say
from modules.bootstrap.kubeadm.spec import EXCLUDE, TAINT, Cluster, Front, Node, wanted_labels, wanted_taints
from modules.bootstrap.kubeadm.state import BEGUN, Mark, Verdict
from modules.machines.remote import Remote

FILE = f"{RUN}/join.yaml"
HOSTS = "# stacklab joins"


def ensure(
    cluster: Cluster,
    node: Node,
    remote: Remote,
    masters: Sequence[tuple[Node, Remote]],
    say: Say,
    *,
    generation: str,
    alone: bool,
) -> dict[str, Any]:
    """The machine is a whole node of the cluster of that generation, with its labels and taints: the node's object.

    Each question to the API is seconds of an emulated master, while others wait for their turn.
    """
    doors = [r for _, r in masters]
    verdict = state.look(remote, cluster.owner, cluster.stack, generation)
    api = kubectl.need_healthy(doors, besides="" if verdict is Verdict.OURS else node.name)
    if verdict is Verdict.OURS and api.node(node.name) is None:
        verdict = Verdict.OTHER  # somebody deleted its node: the machine does not know that it left
        api = kubectl.need_healthy(doors, besides=node.name)
    if verdict is Verdict.OURS:
        apply(remote, endpoint.steps(cluster.front, node), say)
    else:
        if verdict is not Verdict.FRESH:
            say(f"{node.name}: what was not finished here is taken back first")
            reset.reset(remote)
        # A machine that was lost may have left a node and a member of etcd of this name.
        remove.forget(api, cluster, node, say)
        at = next(n for n, r in masters if r is api.master)
        _join(cluster, node, remote, api.master, at, say, alone=alone)
    return api.mark(wanted(node, alone))


def wanted(node: Node, alone: bool) -> nodes.Wanted:
    """Labels and taints; what kubeadm gives masters by itself is taken from those that are all the lab has."""
    mine = node.master and alone
    return nodes.Wanted(
        name=node.name,
        labels=wanted_labels(node, alone),
        taints=wanted_taints(node, alone),
        never_labels=(EXCLUDE,) if mine else (),
        never_taints=(TAINT,) if mine else (),
    )


def _join(cluster: Cluster, node: Node, remote: Remote, master: Remote, at: Node, say: Say, *, alone: bool) -> None:
    say(f"{node.name}: kubeadm join as a {node.role}, by way of {at.name}")
    state.note(remote, Mark(cluster.owner, cluster.stack, BEGUN))
    init.prepare(cluster, node, remote, say)
    with credentials.lent(master, cluster, at, for_master=node.master) as lent:
        text = config.join(
            cluster,
            node,
            server=lent.server,
            token=lent.token,
            ca_hash=lent.ca_hash,
            certificate_key=lent.certificate_key,
            alone=alone,
        )
        try:
            remote.write(FILE, text, 0o600)
            if aside(cluster.front, node):
                remote.run(point_to(cluster.front.api, at.address), timeout=30)
            running.kubeadm(
                remote,
                cluster.kubernetes,
                ["join", "--config", FILE],
                timeout=running.JOIN,
                say=say,
                redact=lent.secret,
            )
        finally:
            _tidy(remote)
    init.finish(cluster, node, remote)


def aside(front: Front, node: Node) -> bool:
    """On a master without a virtual address the API's name is the machine itself, which has no API before it joined."""
    return node.master and not front.vip


def point_to(api: str, address: str) -> str:
    """A script: for now the API's name leads to another master. The first line of a hosts file wins. Pure."""
    return f"""\
set -e
sed '/{HOSTS}$/d' /etc/hosts >{RUN}/hosts
{{ echo '{address} {api} {HOSTS}'; cat {RUN}/hosts; }} >{RUN}/hosts.new
cat {RUN}/hosts.new >/etc/hosts
rm -f {RUN}/hosts {RUN}/hosts.new
"""


def tidy() -> str:
    """A script: no credentials are left, the API's name is as it was. Pure."""
    return f"""\
rm -f {FILE}
if grep -q '{HOSTS}$' /etc/hosts; then
    sed '/{HOSTS}$/d' /etc/hosts >{RUN}/hosts && cat {RUN}/hosts >/etc/hosts
    rm -f {RUN}/hosts
fi
"""


def _tidy(remote: Remote) -> None:
    try:
        remote.run(tidy(), timeout=30)
    except StacklabError:
        # Out of reach: /run is empty after a restart, the token is deleted, and the next join begins with a reset.
        return
