"""What a student's stack declares, read from `pulumi stack export`: objects, and machines. Pure.

Nothing is decrypted: an encrypted value stays a mark (`secret`), which compare.py passes over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modules.manifests import Id, Object, identity

OBJECT = "kubernetes:"
DEFINITIONS = "pulumi-python:dynamic/stacklab:Definitions"
STACK = "pulumi:pulumi:Stack"
# Every resource of the Kubernetes provider that is no object of the cluster: charts, files, patches.
NO_OBJECTS = ("kubernetes:helm.sh/", "kubernetes:yaml", "kubernetes:kustomize")
_SIGNATURE = "4dabf18193072939515e22adb298388d"  # how Pulumi marks what is no plain value


@dataclass(frozen=True)
class Declared:
    """One stack: what should be there. `since` is when the first of its objects was made, by the cluster's clock."""

    objects: Mapping[Id, Object]
    machines: tuple[str, ...] = ()
    since: str = ""
    made: bool = True


def secret(value: object) -> bool:
    """Whether Pulumi keeps this value encrypted."""
    return isinstance(value, Mapping) and _SIGNATURE in value


def read(export: Mapping[str, Any]) -> Declared:
    """From the exported state; one without resources declares nothing."""
    resources = (export.get("deployment") or {}).get("resources") or []
    objects: dict[Id, Object] = {}
    times: list[str] = []
    machines: tuple[str, ...] = ()
    for resource in resources:
        if resource.get("delete"):
            continue  # on its way out
        kind = str(resource["type"])
        if kind == STACK:
            machines = _machines(resource.get("outputs") or {})
        for obj, created in _objects(kind, resource):
            objects[identity(obj)] = obj
            times += [created] if created else []
    return Declared(objects, machines, min(times, default=""), bool(resources))


def _objects(kind: str, resource: Mapping[str, Any]) -> Iterator[tuple[Object, str]]:
    inputs = resource.get("inputs") or {}
    if kind == DEFINITIONS:
        texts = inputs.get("definitions") or {}
        for text in texts.values() if not secret(texts) else ():
            if isinstance(text, str):
                yield json.loads(text), ""
    elif kind.startswith(OBJECT) and not kind.startswith(NO_OBJECTS) and inputs.get("kind"):
        outputs = resource.get("outputs") or {}
        known = outputs.get("metadata") if isinstance(outputs.get("metadata"), Mapping) else {}
        namespace, _, name = str(resource.get("id", "")).rpartition("/")
        metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **(inputs.get("metadata") or {})}
        yield {**inputs, "metadata": metadata}, str((known or {}).get("creationTimestamp") or "")


def _machines(outputs: Mapping[str, Any]) -> tuple[str, ...]:
    found = outputs.get("machines") or ()
    return tuple(str(one["name"]) for one in found) if isinstance(found, list) else ()
