"""The cluster of a lab: found on its masters, or made on the first of them by `kubeadm init`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.base import kubeconfig
from modules.base.errors import StacklabError
from modules.bootstrap import endpoint
from modules.bootstrap.engine import apply
from modules.bootstrap.etcd import members
from modules.bootstrap.kubeadm import admin, config, credentials, kubectl, reset, running, state
from modules.bootstrap.kubeadm.running import Say
from modules.bootstrap.kubeadm.spec import API_PORT, Cluster, Front, Node
from modules.bootstrap.kubeadm.state import BEGUN, WHOLE, Mark, Verdict
from modules.machines.remote import Remote, UnreachableError

ADMIN = "/etc/kubernetes/admin.conf"


@dataclass(frozen=True, repr=False)
class Made:
    """A cluster that answers, as this host reaches it. kubeconfig holds a private key."""

    kubeconfig: str
    endpoint: str
    generation: str


def ensure(
    cluster: Cluster,
    masters: Sequence[tuple[Node, Remote]],
    say: Say,
    *,
    alone: bool,
    etcd: members.Etcd | None = None,
) -> Made:
    """The lab's cluster: the one that some master has, else a new one."""
    verdicts: list[Verdict | None] = []
    lost: list[UnreachableError] = []
    for _, remote in masters:
        try:
            verdicts.append(state.look(remote, cluster.owner, cluster.stack))
        except UnreachableError as error:
            verdicts.append(None)
            lost.append(error)
    whole = [remote for (_, remote), verdict in zip(masters, verdicts, strict=True) if verdict is Verdict.OURS]
    if not whole and lost:
        raise lost[0]  # it may well have the cluster: nothing is made anew behind its back
    if not whole:
        node, remote = masters[0]
        if verdicts[0] is not Verdict.FRESH:
            say(f"{node.name}: a cluster that was not finished here is taken back first")
            reset.reset(remote)
        _init(cluster, node, remote, say, alone=alone, etcd=etcd)
        whole = [remote]
    return reach(cluster.front, whole)


def reach(front: Front, masters: Sequence[Remote]) -> Made:
    """The way from this host to the cluster that these masters have."""
    api = kubectl.need_healthy(masters, timeout=120)
    text = api.master.read(ADMIN)
    if not text:
        raise StacklabError(f"{ADMIN} is not there", where=api.master.login.machine, hint="pulumi refresh, pulumi up")
    server = f"https://{front.vip}:{front.port}" if front.vip else f"https://{api.master.login.address}:{API_PORT}"
    text = kubeconfig.with_server(text, server)
    access = kubeconfig.read(text)
    return Made(text, access.endpoint, access.generation)


def _init(cluster: Cluster, node: Node, remote: Remote, say: Say, *, alone: bool, etcd: members.Etcd | None) -> None:
    say(f"{node.name}: kubeadm init, Kubernetes {cluster.kubernetes}")
    state.note(remote, Mark(cluster.owner, cluster.stack, BEGUN))
    prepare(cluster, node, remote, say)
    if etcd is not None:
        _give_client(remote, members.client(etcd))
        members.wipe(etcd)
    remote.write(config.INIT, config.init(cluster, node, alone=alone), 0o600)
    words = ["init", "--config", config.INIT, "--skip-token-print", "--skip-certificate-key-print"]
    after = f"set -e\n{credentials.forget_all()}"
    running.kubeadm(remote, cluster.kubernetes, words, timeout=running.INIT, after=after, say=say)
    finish(cluster, node, remote)


def prepare(cluster: Cluster, node: Node, remote: Remote, say: Say) -> None:
    """What must be so on a machine before kubeadm runs there: programs of the version, patches, its load balancer."""
    remote.run(running.activate(cluster.kubernetes), timeout=30, hint="pulumi refresh, then pulumi up")
    write_patch(node, remote)
    apply(remote, endpoint.steps(cluster.front, node), say)


def write_patch(node: Node, remote: Remote) -> None:
    """What this machine's kubelet has and others have not."""
    resolver = remote.run(config.FIND_RESOLVER, timeout=30).stdout.strip()
    remote.write(config.KUBELET_PATCH, config.kubelet_patch(node.limits, resolver))


def finish(cluster: Cluster, node: Node, remote: Remote) -> str:
    """After kubeadm: kubectl for root on a master; the mark says that the node is whole. The cluster's generation."""
    if node.master:
        remote.run(admin.script(), timeout=60)
        text = remote.read(ADMIN) or ""
    else:
        text = remote.read("/etc/kubernetes/kubelet.conf") or ""
    generation = kubeconfig.read(text).generation
    state.note(remote, Mark(cluster.owner, cluster.stack, WHOLE, generation))
    return generation


def _give_client(remote: Remote, client: members.Client) -> None:
    remote.write(f"{config.ETCD_PKI}/etcd/ca.crt", client.ca)
    remote.write(f"{config.ETCD_PKI}/apiserver-etcd-client.crt", client.certificate)
    remote.write(f"{config.ETCD_PKI}/apiserver-etcd-client.key", client.key, 0o600)
