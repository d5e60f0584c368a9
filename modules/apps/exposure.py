"""The four ways to reach an app, one small class each: the objects it takes, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

from modules.apps.pod import selector
from modules.apps.workload import NAMESPACE, metadata
from modules.manifests import Id, Object, not_awaited
from modules.topology import model
from modules.topology.model import App

HTTP = 80
CLASS = "traefik"

Record = pulumi.Output[dict[str, Any]]


class Inside(Protocol):
    """What a way needs of the cluster to say how it is reached."""

    @property
    def kubeconfig_file(self) -> pulumi.Output[str]: ...

    def first_machine(self) -> str: ...

    def made(self, this: Id) -> Any: ...

    def address_of(self, service: str) -> pulumi.Output[str]: ...


class Way(Protocol):
    """One exposure of one app."""

    def objects(self) -> list[Object]: ...

    def record(self, inside: Inside) -> Record: ...


@dataclass(frozen=True)
class ByClusterIP:
    """Inside the cluster by name; from outside through the API server, with a command that is printed."""

    app: App

    def objects(self) -> list[Object]:
        return [_service(self.app, self.app.name, "ClusterIP")]

    def record(self, inside: Inside) -> Record:
        service = inside.made(Id("", "Service", NAMESPACE, self.app.name))
        forward = f"port-forward --namespace {NAMESPACE} service/{self.app.name} {self.app.port}:{HTTP}"
        return _record(
            self.app,
            "clusterip",
            command=inside.kubeconfig_file.apply(lambda file: f"kubectl --kubeconfig {file} {forward}"),
            host=f"{self.app.name}.{NAMESPACE}.svc.cluster.local",
            address=service.spec.apply(lambda spec: (spec or {}).get("clusterIP", "")),
            port=HTTP,
        )


@dataclass(frozen=True)
class ByNodePort:
    """At the same port of every machine."""

    app: App
    exposure: model.NodePort

    @property
    def name(self) -> str:
        return f"{self.app.name}-nodeport"

    def objects(self) -> list[Object]:
        return [_service(self.app, self.name, "NodePort", node_port=self.exposure.port)]

    def record(self, inside: Inside) -> Record:
        machine = inside.first_machine()
        picked = inside.made(Id("", "Service", NAMESPACE, self.name)).spec.apply(_node_port)
        port: pulumi.Input[int] = self.exposure.port or picked
        url = pulumi.Output.from_input(port).apply(lambda p: f"http://{machine}:{p}/")
        return _record(self.app, "nodeport", url=url, host=machine, address=machine, port=port)


@dataclass(frozen=True)
class ByLoadBalancer:
    """At an address of its own."""

    app: App

    @property
    def name(self) -> str:
        return f"{self.app.name}-lb"

    def objects(self) -> list[Object]:
        return [_service(self.app, self.name, "LoadBalancer")]

    def record(self, inside: Inside) -> Record:
        address = inside.address_of(self.name)
        url = address.apply(lambda a: f"http://{a}/")
        return _record(self.app, "loadbalancer", url=url, host=address, address=address, port=HTTP)


@dataclass(frozen=True)
class ByIngress:
    """By host name, at the ingress controller's address."""

    app: App
    exposure: model.Ingress

    @property
    def host(self) -> str:
        return self.exposure.host or f"{self.app.name}.example.com"

    def objects(self) -> list[Object]:
        backend = {"service": {"name": self.app.name, "port": {"number": HTTP}}}
        path = {"path": self.exposure.path, "pathType": "Prefix", "backend": backend}
        return [
            _service(self.app, self.app.name, "ClusterIP"),
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": metadata(self.app),
                "spec": {"ingressClassName": CLASS, "rules": [{"host": self.host, "http": {"paths": [path]}}]},
            },
        ]

    def record(self, inside: Inside) -> Record:
        ingress = inside.made(Id("networking.k8s.io", "Ingress", NAMESPACE, self.app.name))
        address = ingress.status.apply(_ingress_address)
        path = self.exposure.path
        return _record(
            self.app,
            "ingress",
            url=f"http://{self.host}{path}",
            command=address.apply(lambda a: f"curl -H 'Host: {self.host}' http://{a}{path}"),
            host=self.host,
            address=address,
            port=HTTP,
        )


def ways(app: App) -> list[Way]:
    """The ways that the stack file asks for, in its order."""
    return [_way(app, exposure) for exposure in app.expose]


def _way(app: App, exposure: model.Exposure) -> Way:
    match exposure:
        case model.NodePort():
            return ByNodePort(app, exposure)
        case model.LoadBalancer():
            return ByLoadBalancer(app)
        case model.Ingress():
            return ByIngress(app, exposure)
        case _:
            return ByClusterIP(app)


def _service(app: App, name: str, kind: str, *, node_port: int | None = None) -> Object:
    port: dict[str, Any] = {"name": "http", "port": HTTP, "targetPort": "http"}
    if node_port:
        port["nodePort"] = node_port
    spec: dict[str, Any] = {"type": kind, "selector": selector(app), "ports": [port]}
    about = metadata(app, name)
    if app.affinity == "ClientIP":
        spec["sessionAffinity"] = "ClientIP"
        # The ingress controller asks the pods itself, not the service: a cookie tells it which one.
        about["annotations"] = {"traefik.ingress.kubernetes.io/service.sticky.cookie": "true"}
    return not_awaited({"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": spec})


def _record(
    app: App,
    kind: str,
    *,
    url: pulumi.Input[str] = "",
    command: pulumi.Input[str] = "",
    host: pulumi.Input[str],
    address: pulumi.Input[str],
    port: pulumi.Input[int],
) -> Record:
    return pulumi.Output.all(
        app=app.name, kind=kind, url=url, command=command, host=host, address=address, port=port
    ).apply(dict)


def _node_port(spec: Mapping[str, Any] | None) -> int:
    ports = (spec or {}).get("ports") or [{}]
    return int(ports[0].get("nodePort") or 0)


def _ingress_address(status: Mapping[str, Any] | None) -> str:
    found = ((status or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return str(found[0].get("ip") or found[0].get("hostname") or "")
