"""metrics-server: `kubectl top`, and what autoscalers read. The manifest is the module's own base."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from addons.base import Addon, Settings
from modules import artifacts
from modules.manifests import Object, ask_directly, change, not_awaited, parse, ready_when, start_quickly
from modules.manifests.images import baked
from modules.manifests.patch import container
from modules.topology.plan import LabPlan

NAME = "metrics-server"
# Its kustomization sets this on everything, selectors included.
LABELS = {"k8s-app": "metrics-server"}
# On the machines' own network it takes its first two looks, ten seconds apart, while the pods' network still starts.
# The kubelet has the port that the manifest uses.
PORT = 4443
BEFORE_THE_NETWORK = [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}]


class MetricsServerSettings(Settings):
    """resolution: how often the machines are asked."""

    resolution: Annotated[int, Field(ge=10, le=300)] = Field(
        10, description="Seconds between two looks at a machine; 10 is the least that metrics-server allows."
    )


def objects(plan: LabPlan, settings: MetricsServerSettings) -> list[Object]:
    def deployment(obj: Object) -> None:
        spec = obj["spec"]
        spec["selector"] = {"matchLabels": LABELS}
        spec["template"]["metadata"] = {"labels": LABELS}
        pod = spec["template"]["spec"]
        pod["hostNetwork"] = True
        spec["strategy"] = {"type": "Recreate"}  # two cannot have the port on one machine
        pod["tolerations"] = [*pod.get("tolerations", []), *BEFORE_THE_NETWORK]
        main = container(obj, "metrics-server")
        main["image"] = baked("registry.k8s.io/metrics-server/metrics-server")
        ours = ("--metric-resolution", "--kubelet-insecure-tls", "--secure-port")
        kept = [a for a in main["args"] if not a.startswith(ours)]
        for port in main["ports"]:
            port["containerPort"] = PORT
        # The machines' kubelets sign their own certificates; a look has to end before the next one begins.
        main["args"] = [
            *kept,
            f"--secure-port={PORT}",
            f"--metric-resolution={settings.resolution}s",
            "--kubelet-request-timeout=5s",
            "--kubelet-insecure-tls",
        ]
        ask_directly(main, plan.api_server)
        start_quickly(main)

    def service(obj: Object) -> None:
        obj["spec"]["selector"] = LABELS

    found = parse(artifacts.manifest(NAME), source=f"manifest {NAME}")
    found = change(found, "Deployment", NAME, deployment)
    found = change(found, "Service", NAME, service)
    return [_labelled_and_awaited(obj) for obj in found]


def _labelled_and_awaited(obj: Object) -> Object:
    metadata = obj["metadata"]
    obj = {**obj, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **LABELS}}}
    if obj["kind"] == "APIService":
        return ready_when(obj, "condition=Available")
    # The APIService is available only when the Deployment is.
    return not_awaited(obj) if obj["kind"] == "Deployment" else obj


ADDON = Addon(NAME, frozenset({"metrics"}), MetricsServerSettings, objects)
