"""From a third party's YAML to our objects: parse, find, change. A manifest that is not as expected is an error."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from modules.base.errors import StacklabError
from modules.manifests.objects import Object, identity

# libyaml reads Calico's manifest ten times faster than the Python parser.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

ANSWER = 5  # seconds


class ManifestError(StacklabError):
    """A manifest is not what the code that changes it was written for."""


def parse(text: str, *, source: str) -> list[Object]:
    """The objects of a YAML text, without what only servers write (status, creationTimestamp). Lists are unfolded."""
    try:
        documents = [d for d in yaml.load_all(text, Loader=_LOADER) if d]
    except yaml.YAMLError as error:
        raise ManifestError(f"not YAML: {error}", where=source) from None
    found: list[Object] = []
    for document in documents:
        inside = document.get("items") if isinstance(document, dict) else None
        members = inside if isinstance(inside, list) and str(document.get("kind", "")).endswith("List") else [document]
        found.extend(_checked(member, source) for member in members)
    seen = [identity(obj) for obj in found]
    twice = sorted({str(i) for i in seen if seen.count(i) > 1})
    if twice:
        raise ManifestError(f"said twice: {', '.join(twice)}", where=source)
    return found


def _checked(obj: Any, source: str) -> Object:
    if not (
        isinstance(obj, dict) and obj.get("apiVersion") and obj.get("kind") and obj.get("metadata", {}).get("name")
    ):
        raise ManifestError("a document is not a Kubernetes object with a name", where=source)
    kept = {key: value for key, value in obj.items() if key != "status"}
    kept["metadata"] = {key: value for key, value in obj["metadata"].items() if key != "creationTimestamp"}
    return kept


def find(objects: Sequence[Object], kind: str, name: str) -> Object:
    for obj in objects:
        if obj["kind"] == kind and obj["metadata"]["name"] == name:
            return obj
    raise ManifestError(f"there is no {kind} {name}", hint="the manifest's version and the addon do not fit")


def change(objects: Sequence[Object], kind: str, name: str, how: Callable[[Object], None]) -> list[Object]:
    """The objects with one of them changed in a copy; an error when it is not there."""
    wanted = find(objects, kind, name)
    changed = copy.deepcopy(wanted)
    how(changed)
    return [changed if obj is wanted else obj for obj in objects]


def containers(workload: Object) -> list[dict[str, Any]]:
    """Its containers, the initial ones first."""
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod["containers"]]


def container(workload: Object, name: str) -> dict[str, Any]:
    for found in containers(workload):
        if found["name"] == name:
            return found
    raise ManifestError(f"{identity(workload)} has no container {name}")


def without_init(workload: Object, *names: str) -> None:
    """Take initial containers away, in place, and the volumes that nobody else mounts."""
    for name in names:
        container(workload, name)
    pod = workload["spec"]["template"]["spec"]
    pod["initContainers"] = [one for one in pod.get("initContainers", ()) if one["name"] not in names]
    mounted = {mount["name"] for one in containers(workload) for mount in one.get("volumeMounts", ())}
    if "volumes" in pod:
        pod["volumes"] = [volume for volume in pod["volumes"] if volume["name"] in mounted]


def shell_env(target: dict[str, Any], values: dict[str, str]) -> None:
    """Set environment variables of a container, in place; new ones come at the end."""
    env: list[dict[str, Any]] = target.setdefault("env", [])
    for name, value in values.items():
        entry = {"name": name, "value": value}
        at = next((i for i, old in enumerate(env) if old["name"] == name), None)
        if at is None:
            env.append(entry)
        else:
            env[at] = entry


def ask_directly(target: dict[str, Any], server: tuple[str, int] | None) -> None:
    """Let a container on its machine's own network ask the API server at this address and port, in place.

    The service that leads there is kube-proxy's work, which starts at the same moment: who asks before ends, and is
    tried again ten seconds later. None: there are several servers, and only the service knows which of them live.
    """
    if server:
        shell_env(target, {"KUBERNETES_SERVICE_HOST": server[0], "KUBERNETES_SERVICE_PORT": str(server[1])})


def start_quickly(target: dict[str, Any], *, patience: int = 300, often: bool = False) -> None:
    """Let a container be ready within a second of being able to, in place.

    A manifest's readiness probe asks every ten seconds or after a long first pause. A startup probe asks every second
    until the first yes; after it the manifest's own probes go on at their own pace.
    often: it is among the first pods of its machine, and its readiness is asked every two seconds: a kubelet that is
    younger than a probe's period sleeps for a random part of it first.
    An answer may take five seconds, not one: on a busy machine that ended what was only slow.
    """
    ready = target["readinessProbe"]
    ready.pop("initialDelaySeconds", None)
    for probe in (ready, target.get("livenessProbe", {})):
        if probe:
            probe["timeoutSeconds"] = max(ANSWER, probe.get("timeoutSeconds", 1))
    if often:
        ready["periodSeconds"] = 2
    handler = {key: ready[key] for key in ("httpGet", "tcpSocket", "exec", "grpc") if key in ready}
    target["startupProbe"] = {**handler, "periodSeconds": 1, "timeoutSeconds": ANSWER, "failureThreshold": patience}
    target.get("livenessProbe", {}).pop("initialDelaySeconds", None)


def slim_schemas(objects: Sequence[Object]) -> list[Object]:
    """Definitions without the prose in their schemas: it is two thirds of Calico's text, and would be in the state."""
    return [
        {**obj, "spec": _without_prose(obj["spec"])} if obj["kind"] == "CustomResourceDefinition" else obj
        for obj in objects
    ]


def _without_prose(value: Any) -> Any:
    if isinstance(value, dict):
        # A property that is named "description" holds a mapping, the prose is text.
        return {k: _without_prose(v) for k, v in value.items() if not (k == "description" and isinstance(v, str))}
    if isinstance(value, list):
        return [_without_prose(v) for v in value]
    return value
