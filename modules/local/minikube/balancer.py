"""The load balancer in front of several masters: Envoy in a container, at the address that minikube gives the API.

minikube puts kube-vip there, an image that is not to be had without a registry. Envoy is what kind puts in front of
masters, so it is in the catalogue. It knows the masters by their addresses and asks each whether it is well.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from modules.host.engine import Engine
from modules.local import containers
from modules.local.containers import Container
from modules.local.kind.spec import ClusterSpec, Node

PORT = 8443  # minikube's for the API, on the masters and in front of them
MASTERS = "stacklab.masters"
KUBE_VIP = "/etc/kubernetes/manifests/kube-vip.yaml"
# minikube writes its pod of kube-vip through this link into nowhere, and the kubelet starts files only.
WITHOUT_KUBE_VIP = f"mkdir -p {posixpath.dirname(KUBE_VIP)} && ln -sfn /dev/null {KUBE_VIP}"
TIMEOUT = 120.0
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def wanted(cluster: ClusterSpec) -> Node | None:
    """The container that it is to be, None with one master."""
    return next((node for node in cluster.containers if node.role == "balancer"), None)


def config(masters: Sequence[str]) -> dict[str, Any]:
    """Envoy's own configuration. TLS goes through as it is; only the question for its health is asked in TLS. Pure."""

    def at(address: str, port: int) -> dict[str, Any]:
        return {"address": {"socket_address": {"address": address, "port_value": port}}}

    health = {
        "timeout": "3s",
        "interval": "2s",
        "no_traffic_interval": "2s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/readyz"},
        "transport_socket_match_criteria": {"tls": True},
    }
    # Masters' certificates are minted with the lab; who asks the API checks them, the balancer only looks who answers.
    anyone = {"common_tls_context": {"validation_context": {"trust_chain_verification": "ACCEPT_UNTRUSTED"}}}
    tls = {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": TLS, **anyone}}
    proxy = {"@type": TCP, "stat_prefix": "api", "cluster": "masters"}
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "api",
                    **at("0.0.0.0", PORT),  # noqa: S104  in the container, whose only network is the lab's
                    "filter_chains": [
                        {"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "masters",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "lb_policy": "ROUND_ROBIN",
                    # Else a watch through a master that is gone would hang until its peer gives up.
                    "close_connections_on_host_health_failure": True,
                    "health_checks": [health],
                    "transport_socket_matches": [{"name": "tls", "match": {"tls": True}, "transport_socket": tls}],
                    "load_assignment": {
                        "cluster_name": "masters",
                        "endpoints": [{"lb_endpoints": [{"endpoint": at(address, PORT)} for address in masters]}],
                    },
                }
            ],
        }
    }


def run(cluster: ClusterSpec, node: Node, image: str, labels: Mapping[str, str]) -> list[str]:
    """The engine's arguments. Its configuration is among them, so it survives a stop without a file. Pure."""
    masters = [master.address for master in cluster.masters]
    marks = {**labels, MASTERS: ",".join(masters)}
    return [
        *("run", "--detach", "--name", node.name, "--hostname", node.name),
        *("--network", cluster.network, "--ip", node.address),
        *(word for key, value in marks.items() for word in ("--label", f"{key}={value}")),
        *(image, "envoy", "--concurrency", "1", "--log-level", "warning"),
        *("--config-yaml", json.dumps(config(masters), sort_keys=True)),
    ]


def ensure(
    engine: Engine, cluster: ClusterSpec, image: str, labels: Mapping[str, str], found: Sequence[Container]
) -> None:
    """It runs and knows these masters when this returns; with one master there is nothing to do."""
    node = wanted(cluster)
    if node is None:
        return
    there = [c for c in found if c.name == node.name]
    masters = ",".join(master.address for master in cluster.masters)
    if there and there[0].running and there[0].labels.get(MASTERS) == masters:
        return
    containers.remove(engine, there)
    engine.run(*run(cluster, node, image, labels), timeout=TIMEOUT, where=node.name)
