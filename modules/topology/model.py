"""The stack file as types (docs/stack-file.md): every key but `backend` has a default.

Made by modules.topology.parse, which also resolves what needs more than one key or what only the layers above know
(`latest`, `auto`, the addons' own settings). What is checked here is one value at a time; checks.py holds the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from modules.topology import types as t
from modules.topology.app import (
    ECHO,
    EXPOSURES,
    Amount,
    App,
    ClusterIP,
    Exposure,
    Ingress,
    LoadBalancer,
    NodePort,
    Probes,
    Resources,
)
from modules.topology.values import Range, Volume
from modules.topology.written import wrong

__all__ = [
    "DEFAULT_ADDONS",
    "ECHO",
    "EXPOSURES",
    "Amount",
    "App",
    "ClusterIP",
    "Exposure",
    "Ingress",
    "LabSpec",
    "Libvirt",
    "LoadBalancer",
    "MachineSize",
    "MachineSpec",
    "Minikube",
    "Mirrors",
    "NetworkSpec",
    "NodePort",
    "Probes",
    "Range",
    "Resources",
    "Ssh",
    "Volume",
]

DEFAULT_ADDONS = ("calico", "metrics-server", "metallb", "traefik", "local-path")


class MachineSize(t.Strict):
    """The size of every machine that does not name its own; memory and disk in bytes."""

    cpus: int = t.key(2, "Virtual CPUs of a machine.", example=4, ge=1, le=256)
    memory: t.Size = t.key("2GiB", "Memory of a machine.", example="4GiB")
    disk: t.Size = t.key("20GiB", "Disk of a machine.", example="40GiB")


class MachineSpec(t.Strict):
    """One machine of a list; None is the default of `machine`, or a name or address that the plan gives."""

    name: t.HostName | None = t.key(None, "Host name; needed on libvirt and ssh.", example="vms21.rhce.cc")
    address: t.Address | None = t.key(None, "Its address; needed on ssh.", example="192.168.26.21")
    cpus: Annotated[int, Field(ge=1, le=256)] | None = t.key(None, "Virtual CPUs.", example=4)
    memory: t.Size | None = t.key(None, "Memory.", example="4GiB")
    disk: t.Size | None = t.key(None, "Disk.", example="40GiB")
    labels: Mapping[t.LabelKey, t.LabelValue] = t.key({}, "Node labels.", example={"tier": "front"})
    taints: t.Items[t.Taint] = t.key([], "Node taints.", example=["dedicated=db:NoSchedule"])


class NetworkSpec(t.Strict):
    """The ranges of the lab; they must not overlap."""

    pods: t.Cidr = t.key("10.244.0.0/16", "Addresses of pods.", example="10.100.0.0/16")
    services: t.Cidr = t.key("10.96.0.0/12", "Addresses of services inside the cluster.", example="10.112.0.0/16")
    machines: t.CidrOrAuto = t.key(
        "auto",
        "The lab's own network; auto is 192.168.26.0/24 on libvirt, the first master's /24 on ssh, and a /24"
        " of 10.200.0.0/14 that depends on the stack's name on kind and minikube.",
    )
    loadbalancers: t.RangeOrAuto = t.key(
        "auto", "Addresses for LoadBalancer services, inside machines; auto is its .200 to .250."
    )
    proxy: Literal["iptables", "nftables", "ipvs"] = t.key("iptables", "How kube-proxy works.")
    endpoint: t.EndpointOrNone = t.key("none", "A virtual address in front of several masters, on libvirt and ssh.")


class Mirrors(t.Strict):
    """Where artifacts are to be had when the usual places are not."""

    country: Literal["none", "cn"] = t.key("none", "Ready-made mirrors of a country; single entries override them.")
    images: t.Registry | None = t.key(
        None,
        "Registry that has Kubernetes' own images.",
        example="registry.aliyuncs.com/google_containers",
    )
    binaries: t.Url | None = t.key(None, "Where release binaries are.", example="https://mirror.example.com/bin")
    registries: Mapping[t.Registry, t.Registry] = t.key(
        {}, "Registry to mirror.", example={"docker.io": "https://mirror.example.com"}
    )


class Libvirt(t.Strict):
    """Settings of the libvirt backend."""

    uri: t.LibvirtUri = t.key("qemu:///system", "The libvirt daemon to use.", example="qemu+ssh://host/system")
    acceleration: Literal["auto", "kvm", "tcg"] = t.key(
        "auto", "auto tries whether a guest really boots under KVM, else TCG."
    )
    image: t.DiskImage = t.key("debian-12", "The machines' disk image.")
    checksum: t.ChecksumOrNone = t.key("none", "Checksum of an image that is a URL, where it is needed.")


class Ssh(t.Strict):
    """Settings of the ssh backend."""

    user: t.UserName = t.key("root", "Who logs in.", example="admin")
    key: t.FilePath = t.key("~/.ssh/id_ed25519", "Private key file.")
    port: int = t.key(22, "Port of the SSH servers.", example=2222, ge=1, le=65535)


class Minikube(t.Strict):
    """Settings of the minikube backend."""

    driver: Literal["auto", "docker", "podman", "kvm2", "ssh", "none"] = t.key("auto", "minikube's driver.")
    runtime: Literal["containerd", "docker", "cri-o"] = t.key(
        "containerd", "Container runtime; docker and cri-o are in the official image only."
    )
    image: Literal["own", "official"] = t.key(
        "own", "The machines' image: put together here, or the one that minikube's publisher has in a registry."
    )


def _count_or_list(value: object) -> str:
    # The tags begin with ~ so that they are left out of a problem's path.
    return "~list" if isinstance(value, (list, tuple)) else "~count"


def _stacked_or_list(value: object) -> str:
    return "~list" if isinstance(value, (list, tuple)) else "~word"


# The limits stand before the conversion to a tuple, or the schema would take them for limits of a text.
Masters = Annotated[
    Annotated[int, Field(ge=1, le=9), Tag("~count")]
    | Annotated[tuple[MachineSpec, ...], Field(min_length=1, max_length=9), t.AS_TUPLE, Tag("~list")],
    Discriminator(_count_or_list),
]
Workers = Annotated[
    Annotated[int, Field(ge=0, le=150), Tag("~count")]
    | Annotated[tuple[MachineSpec, ...], Field(max_length=150), t.AS_TUPLE, Tag("~list")],
    Discriminator(_count_or_list),
]
Etcd = Annotated[
    Annotated[Literal["stacked"], Tag("~word")]
    | Annotated[tuple[t.HostName, ...], Field(min_length=1), t.AS_TUPLE, Tag("~list")],
    Discriminator(_stacked_or_list),
]


def _by_name(value: object) -> object:
    """A list of addons is a mapping without settings; a bare name in a mapping has none either."""
    if isinstance(value, (list, tuple)):
        if not all(isinstance(name, str) for name in value):
            raise wrong("addons cannot be read from this")
        return dict.fromkeys(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise wrong("addons cannot be read from this")


class LabSpec(t.Strict):
    """A whole lab, as the stack file says."""

    backend: t.Backend = Field(description="What the machines are.")
    kubernetes: t.Version = t.key("latest", "Version of Kubernetes; latest is the newest one known.")
    masters: Masters = t.key(1, "How many masters, or a list of machines.", example=3)
    workers: Workers = t.key(2, "How many workers, or a list of machines.", example=2)
    machine: MachineSize = t.key({}, "Size of every machine that does not name its own.")
    network: NetworkSpec = t.key({}, "Ranges, proxy, endpoint.")
    etcd: Etcd = t.key(
        "stacked",
        "On the masters, or on the machines named (libvirt and ssh).",
        example=["master01", "node01", "node02"],
    )
    addons: Annotated[Mapping[str, Any], BeforeValidator(_by_name)] = t.key(
        list(DEFAULT_ADDONS),
        "What is installed in the cluster, with settings where they differ from the defaults.",
        example={"calico": {"encapsulation": "vxlan"}, "metallb": {}},
        allowed="a list of names, or a mapping from name to settings",
    )
    apps: t.Items[App] = t.key([], "What runs in the lab.", example=[{"name": "kubia"}])
    sources: t.Sources = t.key("auto", "Where artifacts come from.")
    mirrors: Mirrors = t.key({}, "Mirrors of registries and releases.")
    libvirt: Libvirt = t.key({}, "Settings of the libvirt backend.")
    ssh: Ssh = t.key({}, "Settings of the ssh backend.")
    minikube: Minikube = t.key({}, "Settings of the minikube backend.")
