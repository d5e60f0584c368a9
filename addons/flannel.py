"""flannel: the pods' network over VXLAN, without NetworkPolicy. The manifest is the module's own kube-flannel."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from addons.base import Addon, Settings
from modules import artifacts
from modules.manifests import Object, ask_directly, change, parse, start_quickly
from modules.manifests.patch import container
from modules.topology.plan import LabPlan

NAME = "flannel"
# Written once flannel knows the machine's range: before, its CNI plugin refuses every pod.
READY: dict[str, Any] = {"exec": {"command": ["test", "-s", "/run/flannel/subnet.env"]}}


class FlannelSettings(Settings):
    """It has none."""


def addresses_of(cidr: str) -> str:
    """A regular expression for the addresses of a range, as flannel wants it to pick a machine's interface."""
    network = ipaddress.IPv4Network(cidr)
    whole, bits = divmod(network.prefixlen, 8)
    octets = network.network_address.packed
    words = [str(octet) for octet in octets[:whole]]
    if bits:
        values = range(octets[whole], octets[whole] + 2 ** (8 - bits))
        words.append(f"({'|'.join(map(str, values))})")
    end = r"\." if len(words) < 4 else "$"
    return "^" + r"\.".join(words) + (end if words else "")


def objects(plan: LabPlan, settings: FlannelSettings) -> list[Object]:
    def config(obj: Object) -> None:
        network = {
            "Network": plan.network.pods,
            "EnableNFTables": plan.network.proxy == "nftables",
            "Backend": {"Type": "vxlan"},
        }
        obj["data"]["net-conf.json"] = json.dumps(network, indent=2) + "\n"

    def daemon(obj: Object) -> None:
        main = container(obj, "kube-flannel")
        # A machine may have other interfaces; pods must not go through those.
        main["args"].append(f"--iface-regex={addresses_of(plan.network.machines)}")
        main["readinessProbe"] = {**READY}
        ask_directly(main, plan.api_server)
        start_quickly(main, often=True)

    found = parse(artifacts.manifest(NAME), source=f"manifest {NAME}")
    found = change(found, "ConfigMap", "kube-flannel-cfg", config)
    return change(found, "DaemonSet", "kube-flannel-ds", daemon)


ADDON = Addon(NAME, frozenset({"cni"}), FlannelSettings, objects)
