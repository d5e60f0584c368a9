"""What identifies a Kubernetes object, and what kind of thing it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""One Kubernetes object, as `kubectl get -o yaml` would show it."""

WORKLOADS = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "CronJob", "Pod"})
"""Kinds that start pods, and so need what pods use to be there before."""


@dataclass(frozen=True, order=True)
class Id:
    """Group, kind, namespace ("" for cluster-wide objects) and name: what Kubernetes tells objects apart by."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def identity(obj: Mapping[str, Any]) -> Id:
    group, _, version = str(obj["apiVersion"]).rpartition("/")
    metadata = obj["metadata"]
    return Id(group if version else "", obj["kind"], metadata.get("namespace", ""), metadata["name"])


def on_host_network(obj: Mapping[str, Any]) -> bool:
    """Whether the pods it starts use their machine's network, and so need no network of pods."""
    template = obj["spec"].get("template", {}) if obj["kind"] in WORKLOADS else {}
    return bool(template.get("spec", {}).get("hostNetwork"))


def pulumi_token(obj: Mapping[str, Any]) -> str:
    """The type of the Pulumi resource for an object: kubernetes:apps/v1:Deployment."""
    version = str(obj["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{obj['kind']}"


def labelled(obj: Object, labels: Mapping[str, str]) -> Object:
    """The object with labels added; its own win."""
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "labels": {**labels, **metadata.get("labels", {})}}}


def namespaced_in(obj: Object, namespace: str) -> Object:
    """The object in a namespace."""
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
