"""The apps of the stack file in a cluster: workloads, and the ways to reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from modules.apps.exposure import Record, ways
from modules.apps.workload import NAMESPACE, workload
from modules.base.errors import StacklabError
from modules.cluster import Cluster, KubernetesObject
from modules.manifests import Id, Object, identity
from modules.topology.model import App
from modules.topology.plan import LabPlan

__all__ = ["deploy", "objects"]


def objects(app: App) -> list[Object]:
    """Everything an app consists of; two ways through the same service share it. Pure."""
    found = [*workload(app), *(obj for way in ways(app) for obj in way.objects())]
    return list({identity(obj): obj for obj in found}.values())


def deploy(plan: LabPlan, cluster: Cluster, addons: Mapping[str, Any]) -> Sequence[Record]:
    """Register the apps, at once with the addons: nothing here needs more than the API. One record for each way."""
    _apart(plan.apps)
    return [record for app in plan.apps for record in _deploy(app, cluster)]


def _apart(apps: Sequence[App]) -> None:
    """kubia with a load balancer and an app that is named kubia-lb would both want the service kubia-lb."""
    owners: dict[Id, str] = {}
    for app in apps:
        for obj in objects(app):
            this = identity(obj)
            other = owners.setdefault(this, app.name)
            if other != app.name:
                raise StacklabError(
                    f"the apps {other} and {app.name} both need the {this}",
                    where="apps",
                    hint=f"give {app.name} another name",
                )


def _deploy(app: App, cluster: Cluster) -> list[Record]:
    shown = pulumi.ComponentResource("stacklab:index:App", app.name)
    inside = _Inside(cluster, shown, cluster.apply(app.name, objects(app), shown))
    records = [way.record(inside) for way in ways(app)]
    shown.register_outputs({})
    return records


@dataclass(frozen=True)
class _Inside:
    """One app's objects in its cluster."""

    cluster: Cluster
    parent: pulumi.Resource
    objects: Mapping[Id, KubernetesObject]

    @property
    def kubeconfig_file(self) -> pulumi.Output[str]:
        return self.cluster.kubeconfig_file

    def first_machine(self) -> str:
        return self.cluster.plan.machines[0].address

    def made(self, this: Id) -> KubernetesObject:
        return self.objects[this]

    def address_of(self, service: str) -> pulumi.Output[str]:
        """Known once the load balancer has given one."""
        from modules.resources.address import Address

        made = self.made(Id("", "Service", NAMESPACE, service))
        address = Address(
            f"{service}/address",
            cluster=pulumi.Output.concat(self.cluster.plan.stack, "/", self.cluster.generation),
            kubeconfig_file=self.cluster.kubeconfig_file,
            namespace=NAMESPACE,
            service=service,
            uid=made.metadata.apply(lambda m: m.get("uid", "")),
            opts=pulumi.ResourceOptions(parent=self.parent, deleted_with=self.cluster.resource),
        )
        return address.address
