"""Every machine of the lab is a node, and Ready."""

from __future__ import annotations

from dataclasses import dataclass

from modules.verify.context import Context
from modules.verify.finding import Look


@dataclass(frozen=True)
class NodesReady:
    name: str = "nodes"
    description: str = "every machine is a Ready node at its address"
    hint: str = "kubectl describe nodes; pulumi refresh shows whether a machine is gone"

    def look(self, context: Context) -> Look:
        """Compare the machines of the outputs with the nodes of the cluster."""
        nodes = {node["metadata"]["name"]: node for node in context.kubectl.items("nodes")}
        wrong: list[str] = []
        for machine in context.lab.machines:
            node = nodes.get(machine.name)
            if node is None:
                wrong.append(f"{machine.name} is not a node")
                continue
            ready: dict[str, str] = next((c for c in node["status"]["conditions"] if c["type"] == "Ready"), {})
            if ready.get("status") != "True":
                wrong.append(f"{machine.name} is not Ready: {ready.get('message') or 'no status'}")
            addresses = [a["address"] for a in node["status"].get("addresses", []) if a["type"] == "InternalIP"]
            if machine.address not in addresses:
                wrong.append(f"{machine.name} is at {', '.join(addresses)}, not at {machine.address}")
        if wrong:
            return Look(False, "; ".join(wrong))
        versions = sorted({n["status"]["nodeInfo"]["kubeletVersion"] for n in nodes.values()})
        return Look(True, f"{len(context.lab.machines)} nodes Ready, {', '.join(versions)}")
