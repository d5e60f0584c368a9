"""The `apps` part of the stack file: workloads, and the four ways to reach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from modules.topology import types as t

ECHO = "stacklab/echo"
EXPOSURES = ("clusterip", "nodeport", "loadbalancer", "ingress")


class _Exposure(t.Strict):
    kind: ClassVar[str]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # In the file an exposure is a mapping with one key, its kind.
        inner = handler.resolve_ref_schema(handler(schema))
        return {
            "type": "object",
            "description": cls.__doc__,
            "properties": {cls.kind: {"anyOf": [{**inner}, {"type": "null"}], "description": inner["description"]}},
            "required": [cls.kind],
            "additionalProperties": False,
        }


class ClusterIP(_Exposure):
    """Reached from inside the cluster, and from the host through a generated port-forward."""

    kind: ClassVar[str] = "clusterip"


class NodePort(_Exposure):
    """Reached at a port of every machine."""

    kind: ClassVar[str] = "nodeport"
    port: Annotated[int, Field(ge=30000, le=32767)] | None = t.key(
        None, "The port on every machine; Kubernetes picks one when it is left out.", example=30080
    )


class LoadBalancer(_Exposure):
    """Reached at an address of its own out of network.loadbalancers."""

    kind: ClassVar[str] = "loadbalancer"


class Ingress(_Exposure):
    """Reached by host name through the ingress controller."""

    kind: ClassVar[str] = "ingress"
    host: t.HostOrAuto = t.key("auto", "The host name; auto is <app>.example.com.")
    path: t.UrlPath = t.key("/", "Requests whose path begins with this go to the app.", example="/shop")


def _kind(value: object) -> str | None:
    if isinstance(value, _Exposure):
        return value.kind
    if isinstance(value, Mapping) and len(value) == 1:
        name = next(iter(value))
        return name if name in EXPOSURES else None
    return None


def _inside(kind: str) -> Callable[[object], object]:
    def unwrap(value: object) -> object:
        if isinstance(value, Mapping):
            return {} if value[kind] is None else value[kind]
        return value

    return unwrap


Exposure = Annotated[
    Annotated[ClusterIP, BeforeValidator(_inside("clusterip")), Tag("clusterip")]
    | Annotated[NodePort, BeforeValidator(_inside("nodeport")), Tag("nodeport")]
    | Annotated[LoadBalancer, BeforeValidator(_inside("loadbalancer")), Tag("loadbalancer")]
    | Annotated[Ingress, BeforeValidator(_inside("ingress")), Tag("ingress")],
    Discriminator(
        _kind,
        custom_error_type="stacklab",
        custom_error_message="{what}",
        custom_error_context={"what": "an exposure is a mapping with one key, its kind", "hint": ""},
    ),
]


class Probes(t.Strict):
    """Paths that answer 200 when the app is ready, and alive; None means no probe."""

    ready: t.ProbePath = t.key(
        "auto",
        "Gets traffic while this answers 200; auto is /readyz for stacklab/echo, none for other images.",
    )
    live: t.ProbePath = t.key(
        "auto", "Is restarted when this fails; auto is /healthz for stacklab/echo, none for other images."
    )


class Amount(t.Strict):
    """CPU in millicores and memory in bytes; None is not set."""

    cpu: t.Cpu | None = t.key(None, "CPU; not set when left out.", example="100m")
    memory: t.Size | None = t.key(None, "Memory; not set when left out.", example="64MiB")


class Resources(t.Strict):
    """What one pod asks for, and what it may take at most."""

    requests: Amount = t.key({}, "What the scheduler keeps free for a pod.")
    limits: Amount = t.key({}, "What a pod may take at most.")


class App(t.Strict):
    """One workload and its exposures."""

    name: t.AppName = Field(description="Name of the app and of everything made for it.")
    image: t.Image = t.key(ECHO, "The container image; stacklab/echo is the project's own.")
    workload: Literal["deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob"] = t.key(
        "deployment", "The kind of workload."
    )
    replicas: int = t.key(1, "Pods; for deployment, replicaset and statefulset.", example=3, ge=0, le=1000)
    port: int = t.key(8080, "The port the container listens on.", example=80, ge=1, le=65535)
    command: t.Items[t.Text] = t.key([], "Replaces the image's entrypoint.", example=["/bin/app"])
    args: t.Items[t.Text] = t.key([], "Arguments of the entrypoint.", example=["--verbose"])
    env: Mapping[t.EnvName, t.Text] = t.key({}, "Environment variables.", example={"GREETING": "hello"})
    resources: Resources = t.key({}, "CPU and memory of one pod.")
    volume: t.VolumeOrNone = t.key("none", "A claim on the lab's default StorageClass and where it is mounted.")
    probes: Probes = t.key({}, "Readiness and liveness by HTTP.")
    affinity: Literal["none", "ClientIP"] = t.key("none", "ClientIP sends all requests of one client to the same pod.")
    schedule: t.Cron = t.key("*/5 * * * *", "When a cronjob runs.", example="@hourly")
    completions: int = t.key(1, "Pods that must end well, for job and cronjob.", example=3, ge=1, le=1000)
    expose: t.Items[Exposure] = t.key(
        [],
        "How the app is reached; each kind once.",
        example=[{"clusterip": {}}, {"nodeport": {"port": 30080}}],
    )


def exposed(app: App, kind: type[Any]) -> Any:
    """The exposure of that kind, or None."""
    return next((e for e in app.expose if isinstance(e, kind)), None)
