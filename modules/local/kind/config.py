"""kind's configuration file, from data. Pure: the same spec and host give the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import yaml

from modules.artifacts.machine.texts import REGISTRIES
from modules.host.facts import NodeHost
from modules.local.kind.spec import ClusterSpec

# kind skips the one whose version is not that of the node image's containerd configuration.
CONTAINERD_RESTRICT_OOM = [
    'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nrestrict_oom_score_adj = true\n',
    'version = 3\n[plugins."io.containerd.cri.v1.runtime"]\nrestrict_oom_score_adj = true\n',
]

# Where containerd looks for hosts files; both versions again.
CONTAINERD_REGISTRIES = [
    f'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{REGISTRIES}"\n',
    f'version = 3\n[plugins."io.containerd.cri.v1.images".registry]\nconfig_path = "{REGISTRIES}"\n',
]


class _Readable(yaml.SafeDumper):
    """Texts of several lines as blocks: people read this file when a lab does not come up."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Readable.add_representer(str, _text)


class Tags(Protocol):
    """The image tags of what kubeadm starts, as they are in the node image."""

    @property
    def etcd_tag(self) -> str: ...
    @property
    def coredns_tag(self) -> str: ...


def render(spec: ClusterSpec, host: NodeHost, tags: Tags, hosts: Path | None = None) -> str:
    """The text of the file that `kind create cluster --config` reads. hosts: the folder of containerd's hosts files."""
    return yaml.dump(document(spec, host, tags, hosts), Dumper=_Readable, sort_keys=False, width=120)


def document(spec: ClusterSpec, host: NodeHost, tags: Tags, hosts: Path | None = None) -> dict[str, Any]:
    """The same as data."""
    patches = [_cluster_configuration(spec, tags)]
    if kubelet := _kubelet_configuration(host):
        patches.append(kubelet)
    if not spec.workers and len(spec.masters) > 1:
        patches += [_no_taints("InitConfiguration"), _no_taints("JoinConfiguration")]
    cluster: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": spec.name,
        "networking": {
            "ipFamily": "ipv4",
            "apiServerAddress": "127.0.0.1",
            "disableDefaultCNI": True,
            "kubeProxyMode": spec.proxy,
            "podSubnet": spec.pods,
            "serviceSubnet": spec.services,
        },
        "kubeadmConfigPatches": [yaml.safe_dump(patch, sort_keys=False) for patch in patches],
    }
    mirrored = spec.registries and hosts
    containerd = [
        *(CONTAINERD_RESTRICT_OOM if host.restrict_oom else ()),
        *(CONTAINERD_REGISTRIES if mirrored else ()),
    ]
    if containerd:
        cluster["containerdConfigPatches"] = containerd
    mounts = [{"hostPath": str(hosts), "containerPath": REGISTRIES, "readOnly": True}] if mirrored else []
    cluster["nodes"] = [
        {
            "role": "control-plane" if node.role == "master" else "worker",
            "image": spec.image,
            **({"extraMounts": mounts} if mounts else {}),
        }
        for node in spec.nodes
    ]
    return cluster


def _cluster_configuration(spec: ClusterSpec, tags: Tags) -> dict[str, Any]:
    # A patch replaces a list as a whole, so kind's own two names are here again.
    names = ["localhost", "127.0.0.1"]
    for node in spec.containers:
        if node.role != "worker":
            names += [node.name, node.address]
    return {
        "kind": "ClusterConfiguration",
        "apiServer": {"certSANs": names},
        "etcd": {"local": {"imageTag": tags.etcd_tag}},
        "dns": {"imageTag": tags.coredns_tag},
    }


def _kubelet_configuration(host: NodeHost) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if host.cgroup_v1:
        settings["failCgroupV1"] = False
    if host.restrict_oom:
        settings["featureGates"] = {"KubeletInUserNamespace": True}
    return {"kind": "KubeletConfiguration", **settings} if settings else {}


def _no_taints(kind: str) -> dict[str, Any]:
    """Masters take pods when there is nobody else; kind sees to it for a single machine only."""
    return {"kind": kind, "nodeRegistration": {"taints": []}}
