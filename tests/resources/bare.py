"""Properties of labs on machines of their own, as Pulumi hands them over."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc


def machine(name: str, **changed: Any) -> dict[str, Any]:
    number = int(name.lstrip("mw"))
    master = name.startswith("m")
    login = {"user": "root", "port": 22.0, "key": "/k", "known_hosts": "/h", "jump": "", "accept_new": True}
    address = f"10.0.0.{10 + number if master else 20 + number}"
    return {"name": name, "role": "master" if master else "worker", "address": address, "login": login, **changed}


def lab(**changed: Any) -> dict[str, Any]:
    return {
        "stack": "ha",
        "name": "stacklab-ha",
        "kubernetes": "1.36.3",
        "pods": "10.244.0.0/16",
        "services": "10.96.0.0/12",
        "proxy": "iptables",
        "vip": "",
        "repository": "",
        "etcd": [],
        **changed,
    }


def unknown() -> Any:
    """What a provider gets in a preview for an output that is not there yet."""
    packed = Struct()
    packed.update({"value": rpc.UNKNOWN})
    return rpc.deserialize_properties(packed, keep_unknowns=True)["value"]
