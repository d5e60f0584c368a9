"""A node goes to another version of Kubernetes, in place; each part is looked at first, so it can be taken up again.

masters   kubeadm (apply on the first, node on the others), then drain, kubelet and kubectl, uncordon
workers   kubeadm upgrade node, drain, kubelet and kubectl, uncordon
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from modules.base.errors import StacklabError
from modules.bootstrap.kubeadm import admin, certificates, config, init, kubectl, nodes, remove, running, versions
from modules.bootstrap.kubeadm.kubectl import Api
from modules.bootstrap.kubeadm.running import Say
from modules.bootstrap.kubeadm.spec import Cluster, Node
from modules.machines.remote import Remote

CONFIG_MAP = ("-n", "kube-system", "get", "configmap", "kubeadm-config", "-o", "json")
# kubeadm knows how to change the configuration of CoreDNS up to the version it brings itself, and ends with an error at
# a newer one like ours. The configuration is the one that kubeadm writes today; the image is set here.
COREDNS = ("CoreDNSUnsupportedPlugins", "CoreDNSMigration")
SKIP = ["--skip-phases", "addon/coredns"]
DNS = ("-n", "kube-system", "deployment/coredns")
# kubeadm runs `pause -v` in a Job; a pause that was compiled here before it knew -v never ends.
JOB = "CreateJob"
MANIFESTS = "/etc/kubernetes/manifests"
PROGRESS = f"{config.FOLDER}/upgrade"
PODS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def upgrade(cluster: Cluster, node: Node, remote: Remote, masters: Sequence[tuple[Node, Remote]], say: Say) -> None:
    """The node runs the cluster's version; nothing is done where it does already."""
    doors = [r for _, r in masters]
    api = kubectl.need_healthy(doors)
    if node.master:
        _master(cluster, node, remote, api, say)
    found = api.node(node.name)
    if found is None:
        raise StacklabError("the cluster has no node of this name", where=node.name, hint="pulumi refresh, pulumi up")
    now = _version(found)
    if now != cluster.kubernetes:
        say(f"{node.name}: kubelet {now} -> {cluster.kubernetes}")
        if not node.master:
            _kubeadm(cluster, node, remote, ["upgrade", "node"], say)
        # A lab of one node has nowhere to move its pods: they go on while the kubelet changes.
        if len(api.versions()) > 1:
            remove.drain(kubectl.need_healthy(doors, besides=node.name if len(doors) > 1 else ""), node.name, say)
        remote.run(running.activate(cluster.kubernetes) + "systemctl restart kubelet\n", timeout=60)
        api = kubectl.need_healthy(doors, timeout=180)
        api.wait_for_version(node.name, cluster.kubernetes, ready=nodes.condition(found, "Ready") == "True")
        if node.master:
            certificates.wait_healthy(remote)
    else:
        remote.run(running.activate(cluster.kubernetes), timeout=30)
    if node.master:
        remote.run(admin.script(), timeout=60)
    # Also when an earlier run was killed while the node was drained; a cordon of the user's stays.
    found = api.node(node.name)
    if found is not None and remove.drained(found):
        remove.uncordon(api, node.name)


def there(cluster: Cluster, node: Node, remote: Remote, found: Mapping[str, Any]) -> bool:
    """Whether the node, `found` just now, has the version and takes pods: for the many times when it does."""
    if node.master and not _current(cluster, remote):
        return False
    return not remove.drained(found) and _version(found) == cluster.kubernetes


def _master(cluster: Cluster, node: Node, remote: Remote, api: Api, say: Say) -> None:
    """The API server, its companions and etcd of this master."""
    if _current(cluster, remote):
        return
    stored = _stored(api)
    if versions.older(str(stored["kubernetesVersion"]), cluster.kubernetes):
        say(f"{node.name}: kubeadm upgrade apply v{cluster.kubernetes}")
        _tell_tags(cluster, api, stored)
        _kubeadm(cluster, node, remote, ["upgrade", "apply", f"v{cluster.kubernetes}", "--yes", *SKIP], say)
    else:
        say(f"{node.name}: kubeadm upgrade node")
        _kubeadm(cluster, node, remote, ["upgrade", "node", *SKIP], say)
    _coredns(cluster, kubectl.need_healthy([api.master, remote]))


def _coredns(cluster: Cluster, api: Api) -> None:
    image = api.kubectl("get", *DNS, "-o", "jsonpath={.spec.template.spec.containers[0].image}").stdout.strip()
    wanted = f"{image.rpartition(':')[0]}:{cluster.coredns_tag}"
    if image != wanted:
        api.kubectl("set", "image", *DNS, f"coredns={wanted}")


def _current(cluster: Cluster, remote: Remote) -> bool:
    return current(remote.run(look(cluster.kubernetes), timeout=30).stdout, cluster.kubernetes)


def look(version: str) -> str:
    """A script on a master: how far kubeadm came, then the static pods of that version. Pure."""
    pods = " ".join(f"{name}.yaml" for name in PODS)
    return f"""\
cat {PROGRESS} 2>/dev/null || echo {version}
cd {MANIFESTS} && grep -lF ':v{version}' {pods} 2>/dev/null || true
"""


def current(printed: str, version: str) -> bool:
    """Whether kubeadm has done its work: it changes static pods one after the other, then other things. Pure."""
    return printed.split() == [version, *(f"{name}.yaml" for name in PODS)]


def _version(found: Mapping[str, Any]) -> str:
    return str(found["status"]["nodeInfo"]["kubeletVersion"]).lstrip("v")


def _kubeadm(cluster: Cluster, node: Node, remote: Remote, words: list[str], say: Say) -> None:
    init.write_patch(node, remote)
    words = [*words, "--patches", config.PATCHES]
    words += ["--ignore-preflight-errors", ",".join([*COREDNS, JOB, *config.ignored(node)])]
    remote.write(PROGRESS, "begun\n")
    after = f"echo {cluster.kubernetes} >{PROGRESS}\n"
    running.kubeadm(remote, cluster.kubernetes, words, timeout=running.UPGRADE, after=after, say=say)


def _stored(api: Api) -> dict[str, Any]:
    """The ClusterConfiguration that kubeadm keeps in the cluster."""
    data = json.loads(api.kubectl(*CONFIG_MAP).stdout)["data"]["ClusterConfiguration"]
    found: dict[str, Any] = yaml.safe_load(data)
    return found


def _tell_tags(cluster: Cluster, api: Api, stored: dict[str, Any]) -> None:
    """kubeadm would keep the tags of etcd and CoreDNS that init was told; those of the new version come with it."""
    wanted = with_tags(stored, cluster)
    if wanted != stored:
        patch = json.dumps({"data": {"ClusterConfiguration": yaml.safe_dump(wanted, sort_keys=False)}})
        words = ["-n", "kube-system", "patch", "configmap", "kubeadm-config", "--patch-file=/dev/stdin"]
        api.kubectl(*words, stdin=patch)


def with_tags(stored: dict[str, Any], cluster: Cluster) -> dict[str, Any]:
    """Pure: the stored configuration with the images of the version that is wanted."""
    found = {**stored, "dns": {**stored.get("dns", {}), "imageTag": cluster.coredns_tag}}
    etcd = stored.get("etcd", {})
    if "local" in etcd:
        found["etcd"] = {**etcd, "local": {**etcd["local"], "imageTag": cluster.etcd_tag}}
    return found
