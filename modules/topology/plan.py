"""From the stack file to machines with names and addresses: a function of the spec and the stack's name alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from modules.topology import address as a
from modules.topology.advice import warnings
from modules.topology.mirrors import effective
from modules.topology.model import App, LabSpec, Libvirt, Minikube, Mirrors, Ssh

API_PORT = 6443
API_PORTS = {"minikube": 8443}


@dataclass(frozen=True)
class Machine:
    """One machine of the lab; memory and disk in bytes, taints as key=value:Effect."""

    name: str
    role: Literal["master", "worker"]
    address: str
    cpus: int
    memory: int
    disk: int
    labels: Mapping[str, str]
    taints: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """The lab's ranges. `endpoint` is the address in front of several masters, None with one master."""

    name: str
    machines: str
    gateway: str
    pods: str
    services: str
    loadbalancers: tuple[str, str]
    proxy: str
    endpoint: str | None


@dataclass(frozen=True)
class LabPlan:
    """Everything the layers above need to make the lab.

    etcd names external members, none when it is stacked; mirrors are those of the country with the file's own on top.
    """

    stack: str
    cluster: str
    backend: str
    kubernetes: str
    machines: tuple[Machine, ...]
    network: Network
    addons: Mapping[str, BaseModel]
    apps: tuple[App, ...]
    sources: str
    warnings: tuple[str, ...]
    etcd: tuple[str, ...] = ()
    mirrors: Mirrors = field(default_factory=Mirrors)
    libvirt: Libvirt = field(default_factory=Libvirt)
    ssh: Ssh = field(default_factory=Ssh)
    minikube: Minikube = field(default_factory=Minikube)

    @property
    def api_server(self) -> tuple[str, int] | None:
        """Address and port at which machines reach the API server itself; None where there are several."""
        masters = [machine for machine in self.machines if machine.role == "master"]
        return (masters[0].address, API_PORTS.get(self.backend, API_PORT)) if len(masters) == 1 else None


def plan(spec: LabSpec, stack: str) -> LabPlan:
    """The plan of a spec that parse made; `stack` gives the lab its name and, with `auto`, its network."""
    cluster = a.cluster_name(stack)
    network = a.machine_network(spec, stack)
    balancers = a.loadbalancers(spec, network)
    vip = a.endpoint(spec, network)
    return LabPlan(
        stack=stack,
        cluster=cluster,
        backend=spec.backend,
        kubernetes=spec.kubernetes,
        machines=tuple(_machine(spec, place) for place in a.places(spec, network, cluster)),
        network=Network(
            name=cluster,
            machines=str(network),
            gateway=str(network.network_address + a.GATEWAY),
            pods=str(spec.network.pods),
            services=str(spec.network.services),
            # Without a range no addon wants one: the checks see to that.
            loadbalancers=(str(balancers.first), str(balancers.last)) if balancers else ("", ""),
            proxy=spec.network.proxy,
            endpoint=str(vip) if vip else None,
        ),
        addons=spec.addons,
        apps=spec.apps,
        sources=spec.sources,
        warnings=warnings(spec),
        etcd=() if spec.etcd == "stacked" else spec.etcd,
        mirrors=effective(spec.mirrors),
        libvirt=spec.libvirt,
        ssh=spec.ssh,
        minikube=spec.minikube,
    )


def _machine(spec: LabSpec, place: a.Place) -> Machine:
    own, default = place.spec, spec.machine
    return Machine(
        name=place.name,
        role=place.role,
        address=str(place.address),
        cpus=default.cpus if own.cpus is None else own.cpus,
        memory=default.memory if own.memory is None else own.memory,
        disk=default.disk if own.disk is None else own.disk,
        labels=own.labels,
        taints=own.taints,
    )
