"""What clusters in containers of this host have in common as resources, whether kind makes them or minikube.

kind_cluster.py and minikube_cluster.py -> here: the inputs that a plan gives, the outputs, the class to register.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from modules.host import engine
from modules.local.kind.driver import Made
from modules.local.kind.spec import Node
from modules.resources.base import Props, Provider, text
from modules.resources.container_network import ContainerNetwork
from modules.topology.plan import LabPlan

OUTPUTS = ("kubeconfig", "kubeconfig_file", "endpoint", "generation", "nodes", "states", "owner")


def engine_of(props: Props) -> engine.Name:
    """The container engine that the machines run in."""
    return "docker" if text(props, "engine") == "docker" else "podman"


def inputs_of(plan: LabPlan, image: str) -> dict[str, Any]:
    """The inputs that both have, but for what comes from the network resource. Pure."""
    return {
        "stack": plan.stack,
        "name": plan.cluster,
        "kubernetes": plan.kubernetes,
        "image": image,
        "pods": plan.network.pods,
        "services": plan.network.services,
        "proxy": plan.network.proxy,
        "balancer": plan.network.endpoint or "",
        "machines": [
            {
                "name": m.name,
                "role": m.role,
                "address": m.address,
                "labels": dict(m.labels),
                "taints": list(m.taints),
            }
            for m in plan.machines
        ],
    }


def outs_of(
    inputs: Props, made: Made, *, kubeconfig_file: Path, nodes: Iterable[Node], states: Mapping[str, str], owner: str
) -> dict[str, Any]:
    """What is known once the cluster is made: its inputs and OUTPUTS. Pure."""
    return {
        **inputs,
        "kubeconfig": made.kubeconfig,
        "kubeconfig_file": str(kubeconfig_file),
        "endpoint": made.endpoint,
        "generation": made.generation,
        "nodes": [{"name": n.name, "role": n.role, "address": n.address} for n in nodes],
        "states": dict(states),
        "owner": owner,
    }


class LocalCluster(Resource):
    """The lab's cluster on the lab's network."""

    kubeconfig: pulumi.Output[str]
    kubeconfig_file: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    generation: pulumi.Output[str]
    nodes: pulumi.Output[list[dict[str, str]]]

    def __init__(
        self,
        provider: Provider,
        resource_name: str,
        inputs: Props,
        network: ContainerNetwork,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**inputs, "network": network.name, "engine": network.engine, **dict.fromkeys(OUTPUTS)}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"])
        super().__init__(provider, resource_name, props, pulumi.ResourceOptions.merge(secret, opts))
