"""Who makes the cluster of a plan: one function for each backend, from machines to a handle (modules.cluster)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pulumi

from modules.base import paths
from modules.cluster import Cluster, reached
from modules.topology.plan import LabPlan

if TYPE_CHECKING:
    from modules.resources.prepared_machine import PreparedMachine


def create(plan: LabPlan) -> Cluster:
    """The cluster of a plan, by the backend that it names."""
    return BACKENDS[plan.backend](plan)


def _kind(plan: LabPlan) -> Cluster:
    # These reach for container engines and the host: only a lab on kind needs them.
    from modules.artifacts import images
    from modules.resources.container_network import ContainerNetwork
    from modules.resources.kind_cluster import KindCluster

    network = ContainerNetwork(plan.network.name, plan)
    cluster = KindCluster(
        plan.cluster, plan, image=images.node_image(plan.kubernetes, addons=plan.addons), network=network
    )
    return reached(
        plan,
        cluster,
        kubeconfig=cluster.kubeconfig,
        kubeconfig_file=cluster.kubeconfig_file,
        endpoint=cluster.endpoint,
        generation=cluster.generation,
        ssh=lambda _: "",
    )


def _minikube(plan: LabPlan) -> Cluster:
    from modules.artifacts import images
    from modules.local.minikube import settings
    from modules.resources.container_network import ContainerNetwork
    from modules.resources.minikube_cluster import MinikubeCluster

    settings.require(plan)
    network = ContainerNetwork(plan.network.name, plan)
    official = plan.minikube.image == "official"
    image = settings.OFFICIAL if official else images.base_image(plan.kubernetes, addons=plan.addons)
    cluster = MinikubeCluster(plan.cluster, plan, image=image, network=network)
    return reached(
        plan,
        cluster,
        kubeconfig=cluster.kubeconfig,
        kubeconfig_file=cluster.kubeconfig_file,
        endpoint=cluster.endpoint,
        generation=cluster.generation,
        ssh=lambda _: "",
        # minikube adds a machine to a lab that runs, and does not wait until it is ready.
        joined={machine.name: cluster.generation for machine in plan.machines},
    )


def _libvirt(plan: LabPlan) -> Cluster:
    # These need libvirt's library: only a lab on it has to have that.
    from modules.resources import libvirt_machines
    from modules.resources.prepared_machine import PreparedMachine
    from modules.resources.ssh_keys import SshKeys

    reachable = libvirt_machines.make(plan, SshKeys(plan.cluster, plan))
    return _kubeadm(
        plan,
        {name: machine.generation for name, machine in reachable.items()},
        {
            machine.name: PreparedMachine(
                machine.name,
                plan,
                machine=machine,
                generation=reachable[machine.name].generation,
                opts=pulumi.ResourceOptions(deleted_with=reachable[machine.name]),
            )
            for machine in plan.machines
        },
    )


def _ssh(plan: LabPlan) -> Cluster:
    from modules.resources.prepared_machine import PreparedMachine
    from modules.resources.ssh_machines import SshMachines

    machines = SshMachines(plan.cluster, plan)
    return _kubeadm(
        plan,
        {machine.name: machines.generations[machine.name] for machine in plan.machines},
        {
            machine.name: PreparedMachine(
                machine.name,
                plan,
                machine=machine,
                generation=machines.generations[machine.name],
                opts=pulumi.ResourceOptions(depends_on=[machines]),
            )
            for machine in plan.machines
        },
    )


def _kubeadm(
    plan: LabPlan, generations: Mapping[str, pulumi.Output[str]], prepared: Mapping[str, PreparedMachine]
) -> Cluster:
    """A cluster on machines that are ready for it: masters one after the other, then all workers at once."""
    from modules.resources.control_plane import ControlPlane
    from modules.resources.etcd_members import EtcdMembers
    from modules.resources.member import Member

    masters = [m for m in plan.machines if m.role == "master"]
    before: list[pulumi.Resource] = [prepared[m.name] for m in masters]
    if plan.etcd:
        behind = pulumi.ResourceOptions(depends_on=[prepared[name] for name in plan.etcd])
        before.append(EtcdMembers(f"{plan.cluster}-etcd", plan, generations=generations, opts=behind))
    control = ControlPlane(
        plan.cluster,
        plan,
        generations=generations,
        facts={name: machine.facts for name, machine in prepared.items()},
        opts=pulumi.ResourceOptions(depends_on=before),
    )
    last: pulumi.Resource = control
    members: list[pulumi.Resource] = []
    for machine in (*masters, *(m for m in plan.machines if m.role == "worker")):
        member = Member(
            machine.name,
            plan,
            machine=machine,
            cluster=control.generation,
            machine_generation=generations[machine.name],
            facts=prepared[machine.name].facts,
            # With the cluster gone nobody has to leave it.
            opts=pulumi.ResourceOptions(depends_on=[last, prepared[machine.name]], deleted_with=control),
        )
        members.append(member)
        if machine.role == "master":
            last = member
    config = ssh_config(plan.stack)
    names = {m.address: m.name for m in plan.machines}
    return reached(
        plan,
        control,
        kubeconfig=control.kubeconfig,
        kubeconfig_file=control.kubeconfig_file,
        endpoint=control.endpoint,
        generation=control.generation,
        ssh=lambda address: f"ssh -F {config} {names[address]}",
        nodes=tuple(members),
        joined=generations,
        nodes_first=plan.backend == "libvirt",
    )


def ssh_config(stack: str) -> str:
    """The lab's own SSH configuration, as it is named from the checkout."""
    file = paths.lab(stack) / "ssh" / "config"
    return str(file.relative_to(paths.checkout()))


BACKENDS: Mapping[str, Callable[[LabPlan], Cluster]] = {
    "kind": _kind,
    "minikube": _minikube,
    "libvirt": _libvirt,
    "ssh": _ssh,
}
