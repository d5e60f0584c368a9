"""The apps of the stack file in a cluster: workloads, and the ways to reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from modules.apps.exposure import Record, ways
from modules.apps.workload import NAMESPACE, workload
from modules.base.errors import StacklabError
from modules.cluster import Applied, Cluster, KubernetesObject, Turn
from modules.manifests import Condition, Id, Object, identity, needs_address
from modules.manifests.waiting import ADDRESS
from modules.topology.model import App
from modules.topology.plan import LabPlan

__all__ = ["deploy", "objects"]


def objects(app: App) -> list[Object]:
    """Everything an app consists of; two ways through the same service share it. Pure."""
    found = [*workload(app), *(obj for way in ways(app) for obj in way.objects())]
    return list({identity(obj): obj for obj in found}.values())


def _by_id(app: App) -> Mapping[Id, Object]:
    return {identity(obj): obj for obj in objects(app)}


class _Installed(Protocol):
    """An addon as the layer above hands it in."""

    @property
    def applied(self) -> Applied: ...

    @property
    def network(self) -> tuple[pulumi.Resource, ...]: ...


def deploy(plan: LabPlan, cluster: Cluster, addons: Mapping[str, _Installed]) -> Sequence[Record]:
    """Register the apps beside the addons, of which only the pods' network has to run before; a record for each way."""
    _apart(plan.apps)
    turn = Turn(
        pods=tuple(dict.fromkeys(network for addon in addons.values() for network in addon.network)),
        waits=tuple(last for addon in addons.values() for last in addon.applied.last),
    )
    return [record for app in plan.apps for record in _deploy(app, cluster, turn)]


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


def _deploy(app: App, cluster: Cluster, turn: Turn) -> list[Record]:
    shown = pulumi.ComponentResource("stacklab:index:App", app.name)
    applied = cluster.apply(app.name, objects(app), shown, turn)
    balanced = [Condition(this, ADDRESS) for this, obj in _by_id(app).items() if needs_address(obj)]
    waiting = cluster.ready(app.name, balanced, applied, shown, turn) if balanced else None
    inside = _Inside(cluster, applied, waiting.addresses if waiting else pulumi.Output.from_input({}))
    records = [way.record(inside) for way in ways(app)]
    shown.register_outputs({})
    return records


@dataclass(frozen=True)
class _Inside:
    """One app's objects in its cluster."""

    cluster: Cluster
    applied: Applied
    addresses: pulumi.Output[dict[str, str]]

    @property
    def kubeconfig_file(self) -> pulumi.Output[str]:
        return self.cluster.kubeconfig_file

    def first_machine(self) -> str:
        return self.cluster.plan.machines[0].address

    def made(self, this: Id) -> KubernetesObject:
        return self.applied.objects[this]

    def address_of(self, service: str) -> pulumi.Output[str]:
        """Known once the load balancer has given one."""
        return self.addresses.apply(lambda found: found[f"{NAMESPACE}/{service}"])
