"""kubeadm's configuration files (v1beta4), from data. Pure: the same cluster and node give the same text.

What differs from machine to machine (an old cgroup version, a machine that is itself a container) goes into a patch of
that machine's kubelet configuration; the cluster's own stays one for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from modules.artifacts.machine.texts import SOCKET, Limits
from modules.bootstrap.kubeadm.spec import API_PORT, Cluster, Node, wanted_taints

API = "kubeadm.k8s.io/v1beta4"
DOMAIN = "cluster.local"
FOLDER = "/etc/stacklab/kubeadm"
PATCHES = f"{FOLDER}/patches"
KUBELET_PATCH = f"{PATCHES}/kubeletconfiguration0+merge.yaml"
INIT = f"{FOLDER}/init.yaml"
ETCD_PKI = "/etc/kubernetes/pki"
RESOLVER = f"{FOLDER}/resolv.conf"
# Prints the file with the machine's name servers. CoreDNS hands on to them, and ends itself when there are none, or
# when they are the machine itself; so where there are none it gets one at an address that nobody can have.
FIND_RESOLVER = f"""\
set -e
for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
    [ "$file" = /etc/resolv.conf ] || systemctl is-active --quiet systemd-resolved || continue
    if grep -s '^nameserver' "$file" | grep -qvE 'nameserver[[:space:]]+(127[.]|::1)'; then echo "$file"; exit 0; fi
done
mkdir -p {FOLDER}
echo 'nameserver 192.0.2.53' >{RESOLVER}
echo {RESOLVER}
"""
# What kubeadm init makes for joins of its own; ours are made when somebody joins.
FIRST_TOKEN_TTL = "1m0s"  # noqa: S105  (a duration)

# kubeadm's own, of seconds for some, are too short for a machine that is emulated or shares its cores with many.
TIMEOUTS = {
    "controlPlaneComponentHealthCheck": "8m0s",
    "discovery": "4m0s",
    "etcdAPICall": "4m0s",
    "kubeletHealthCheck": "4m0s",
    "kubernetesAPICall": "4m0s",
    "tlsBootstrap": "8m0s",
    "upgradeManifests": "8m0s",
}

# A leader that is ten seconds late ends itself, and a machine that is emulated is late whenever much begins at once.
ELECTION = {
    "leader-elect-lease-duration": "60s",
    "leader-elect-renew-deadline": "45s",
    "leader-elect-retry-period": "8s",
}
# etcd gives a request five seconds and two elections. Milliseconds; what has one member elects it at once all the same.
LATE_ETCD = {"election-timeout": "10000", "heartbeat-interval": "1000"}
# Looking for memory that may go is what Go does most on a processor that is a program: less often, up to a limit.
SPARING = {"GOGC": "400", "GOMEMLIMIT": "640MiB"}
# A container that misses something on a machine that starts ends, and waits twice as long each time, up to 5 min.
RESTARTS = {"maxContainerRestartPeriod": "20s"}
# kubeadm makes sixteen pairs of keys, and an API server signs with one at each greeting.
QUICK_KEYS = "ECDSA-P256"


def init(
    cluster: Cluster,
    node: Node,
    *,
    certificate_key: str = "",
    token: tuple[str, str] | None = None,
    alone: bool = False,
) -> str:
    """For `kubeadm init` and its phases. With a key or a token (text, duration) it holds secrets: mode 0600."""
    first: dict[str, Any] = {
        "apiVersion": API,
        "kind": "InitConfiguration",
        "bootstrapTokens": [{"token": token[0], "ttl": token[1]} if token else {"ttl": FIRST_TOKEN_TTL}],
        "localAPIEndpoint": _local(node),
        "nodeRegistration": _registration(cluster, node, alone),
        "patches": {"directory": PATCHES},
        "timeouts": dict(TIMEOUTS),
    }
    if certificate_key:
        first["certificateKey"] = certificate_key
    configuration = cluster_configuration(cluster, emulated=node.limits.emulated)
    return _dump(first, configuration, kubelet(), proxy(cluster))


def join(
    cluster: Cluster,
    node: Node,
    *,
    server: str,
    token: str,
    ca_hash: str,
    certificate_key: str = "",
    alone: bool = False,
) -> str:
    """For `kubeadm join`. Holds secrets: for a file of mode 0600 that is removed when kubeadm has ended."""
    text: dict[str, Any] = {
        "apiVersion": API,
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {"apiServerEndpoint": server, "token": token, "caCertHashes": [ca_hash]},
        },
        "nodeRegistration": _registration(cluster, node, alone),
        "patches": {"directory": PATCHES},
        "timeouts": dict(TIMEOUTS),
    }
    if node.master:
        text["controlPlane"] = {"localAPIEndpoint": _local(node), "certificateKey": certificate_key}
    return _dump(text)


def cluster_configuration(cluster: Cluster, *, emulated: bool = False) -> dict[str, Any]:
    """The ClusterConfiguration; kubeadm keeps it in the cluster, and reads it there at each join and upgrade."""
    names = ["localhost", "127.0.0.1", cluster.front.api]
    if cluster.front.vip:
        names.append(cluster.front.vip)
    for name, address in cluster.front.masters:
        names += [name, address]
    found: dict[str, Any] = {
        "apiVersion": API,
        "kind": "ClusterConfiguration",
        "clusterName": cluster.name,
        "kubernetesVersion": f"v{cluster.kubernetes}",
        "controlPlaneEndpoint": cluster.front.address,
        "networking": {"dnsDomain": DOMAIN, "podSubnet": cluster.pods, "serviceSubnet": cluster.services},
        "apiServer": {"certSANs": list(dict.fromkeys(names))},
        "dns": {"imageTag": cluster.coredns_tag},
        "etcd": {"local": {"imageTag": cluster.etcd_tag}},
    }
    if cluster.etcd:
        found["etcd"] = {
            "external": {
                "endpoints": [f"https://{address}:2379" for address in cluster.etcd],
                "caFile": f"{ETCD_PKI}/etcd/ca.crt",
                "certFile": f"{ETCD_PKI}/apiserver-etcd-client.crt",
                "keyFile": f"{ETCD_PKI}/apiserver-etcd-client.key",
            }
        }
    if emulated:
        _unhurried(found)
    if cluster.repository:
        found["imageRepository"] = cluster.repository
    return found


def _unhurried(found: dict[str, Any]) -> None:
    """Make a ClusterConfiguration one for machines that are late."""
    for part in ("controllerManager", "scheduler"):
        found[part] = {"extraArgs": _named(ELECTION), "extraEnvs": _named(SPARING)}
    found["apiServer"]["extraEnvs"] = _named(SPARING)
    found["encryptionAlgorithm"] = QUICK_KEYS
    if "local" in found["etcd"]:
        found["etcd"]["local"] |= {"extraArgs": _named(LATE_ETCD), "extraEnvs": _named(SPARING)}


def kubelet() -> dict[str, Any]:
    """What every kubelet of the cluster has."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
    }


def kubelet_patch(limits: Limits, resolver: str) -> str:
    """What one machine's kubelet has besides: where its name servers stand, and what a container needs."""
    settings: dict[str, Any] = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    settings["resolvConf"] = resolver
    if limits.cgroup_v1:
        settings["failCgroupV1"] = False
    if limits.emulated:
        settings["crashLoopBackOff"] = RESTARTS
    if limits.no_oom_adjust:
        settings["featureGates"] = {"KubeletInUserNamespace": True}
        settings["failSwapOn"] = False  # the host's swap, which a container sees and cannot switch off
    return _dump(settings)


def proxy(cluster: Cluster) -> dict[str, Any]:
    """kube-proxy's. The sizes of conntrack stay as the machine has them: a container may not change its host's."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": cluster.proxy,
        "clusterCIDR": cluster.pods,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def ignored(node: Node) -> list[str]:
    """Checks of kubeadm that are known not to hold, and why that is fine."""
    # It reads the configuration of the kernel, which a container does not have, and wants cgroup v1 to be passed over
    # by name besides the kubelet's own setting (the patch).
    return ["SystemVerification"] if node.limits.cgroup_v1 or node.limits.no_oom_adjust else []


def _registration(cluster: Cluster, node: Node, alone: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": node.name,
        "criSocket": f"unix://{SOCKET}",
        "imagePullPolicy": "IfNotPresent",
        "kubeletExtraArgs": [{"name": "node-ip", "value": node.address}],
        # Written out: with no list here kubeadm gives masters a taint and the file's ones would come later.
        "taints": [_taint(text) for text in wanted_taints(node, alone)],
    }
    errors = ignored(node)
    if errors:
        found["ignorePreflightErrors"] = errors
    return found


def _taint(text: str) -> Mapping[str, str]:
    key, _, effect = text.rpartition(":")
    name, _, value = key.partition("=")
    return {"key": name, **({"value": value} if value else {}), "effect": effect}


def _named(found: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in found.items()]


def _local(node: Node) -> dict[str, Any]:
    return {"advertiseAddress": node.address, "bindPort": API_PORT}


def _dump(*documents: Mapping[str, Any]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, width=120)
