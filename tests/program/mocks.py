"""An engine that makes nothing: it remembers what a program registered, and answers like the real providers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, stack
from pulumi.runtime.proto import resource_pb2

CLUSTER = "pulumi-python:dynamic/stacklab:KindCluster"
KUBECONFIG = "apiVersion: v1 # with a key"
PRIVATE = "a private key"


@dataclass
class Registered:
    """One resource as the engine was told of it."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    provider: str
    deleted_with: str
    depends_on: list[str]
    secret_outputs: list[str]
    in_clear: str


@dataclass
class Graph:
    resources: list[Registered] = field(default_factory=list)

    def of(self, kind: str) -> list[Registered]:
        return [r for r in self.resources if r.type.endswith(f":{kind}")]

    def one(self, kind: str, name: str = "") -> Registered:
        found = [r for r in self.of(kind) if not name or r.name == name]
        assert len(found) == 1, f"{kind} {name}: {[r.name for r in found]}"
        return found[0]

    def inside(self) -> list[Registered]:
        """The objects in the cluster."""
        return [r for r in self.resources if r.type.startswith("kubernetes:")]


class _Answers(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outs = dict(args.inputs)
        if args.typ.endswith((":KindCluster", ":MinikubeCluster", ":ControlPlane")):
            outs |= {"kubeconfig": KUBECONFIG, "kubeconfig_file": "/labs/dev/kubeconfig"}
            outs |= {"endpoint": "https://10.0.0.11:6443", "generation": "g1"}
        elif args.typ.endswith(":ContainerNetwork"):
            outs["engine"] = "podman"
        elif args.typ.endswith(":SshMachines"):
            outs["generations"] = {machine["name"]: f"id-of-{machine['name']}" for machine in outs["machines"]}
        elif args.typ.endswith(":PreparedMachine"):
            outs["facts"] = {"cgroup_v1": True, "no_oom_adjust": False}
        elif args.typ.endswith(":SshKeys"):
            outs |= {"public_key": "ssh-ed25519 AAAA", "private": {"id_ed25519": PRIVATE}}
            outs["host_keys"] = {machine["name"]: "ssh-ed25519 AAAA" for machine in outs["machines"]}
        elif ":Libvirt" in args.typ:
            outs |= {"uri": "qemu:///system", "volume": f"{args.name}.qcow2", "found": "tcg", "name": args.name}
            outs |= {"generation": f"id-of-{args.name}", "console": "/log", "started": "1", "disk_size": 1}
        elif args.typ.endswith(":Ready"):
            services = [c for c in outs["conditions"] if c["until"] == "address"]
            outs["addresses"] = {f"{c['namespace']}/{c['what'].partition('/')[2]}": "10.0.0.200" for c in services}
        elif args.typ.endswith(":Service"):
            ports = [{"nodePort": 31234, **port} for port in outs["spec"]["ports"]]
            outs["spec"] = {**outs["spec"], "clusterIP": "10.96.0.7", "ports": ports}
        elif args.typ.endswith(":Ingress"):
            outs["status"] = {"loadBalancer": {"ingress": [{"ip": "10.0.0.201"}]}}
        return f"{args.name}-id", outs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return "[secret]"
        return {key: _without_secrets(inner) for key, inner in value.items()}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value


class _Monitor(mocks.MockMonitor):
    """Keeps the options of each registration, which Mocks are not told."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(_Answers())
        self.graph = graph

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802
        answer: Any = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # untyped in Pulumi
        inputs = rpc.deserialize_properties(request.object)
        self.graph.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=answer.urn,
                inputs=inputs,
                provider=request.provider,
                deleted_with=request.deletedWith,
                depends_on=list(request.dependencies),
                secret_outputs=list(request.additionalSecretOutputs),
                in_clear=json.dumps(_without_secrets(json_format.MessageToDict(request.object))),
            )
        )
        return answer


def run(program: Callable[[], None], *, preview: bool = False) -> Graph:
    """Run a program against the mocks and return what it registered."""
    graph = Graph()
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(_Answers(), project="stacklab", stack="dev", preview=preview, monitor=_Monitor(graph))

    asyncio.get_event_loop().run_until_complete(stack.run_pulumi_func(program))
    return graph


def value(output: pulumi.Output[Any]) -> Any:
    """What an output holds after `run`."""
    return asyncio.get_event_loop().run_until_complete(output.future())
