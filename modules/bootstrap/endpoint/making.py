"""The steps that run haproxy and keepalived on a machine, or end them on one that needs them no longer. Pure.

The programs themselves are among what every machine is prepared with (modules.bootstrap.steps.packages).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from modules.bootstrap.endpoint import haproxy, keepalived
from modules.bootstrap.kubeadm.spec import Front, Node
from modules.bootstrap.step import Action, Run, Step, Write

INTERFACE = "@interface@"


def steps(front: Front, node: Node) -> tuple[Step, ...]:
    """What the machine of that node needs."""
    here = front.balanced(node.role)
    vip = bool(front.vip) and node.master
    files = {haproxy.CONFIG: haproxy.config(front, node.role), haproxy.UNIT: haproxy.unit()}
    balancer = _service("haproxy", haproxy.SERVICE, files if here else {}, tuple(files))
    files = {
        keepalived.CONFIG: keepalived.config(front, node.address, INTERFACE),
        keepalived.CHECK: keepalived.check(),
        keepalived.UNIT: keepalived.unit(),
    }
    return balancer, _service("keepalived", keepalived.SERVICE, files if vip else {}, tuple(files), node.address)


def undo() -> str:
    """Idempotent: no service, no file of ours. The virtual address goes with keepalived."""
    lines = []
    for service in (keepalived.SERVICE, haproxy.SERVICE):
        lines.append(f"[ ! -e /etc/systemd/system/{service} ] || systemctl disable --now --quiet {service} 2>/dev/null")
    files = (haproxy.CONFIG, haproxy.UNIT, keepalived.CONFIG, keepalived.CHECK, keepalived.UNIT)
    lines += [f"rm -f {' '.join(files)}", "systemctl daemon-reload"]
    return "\n".join(lines)


def _service(name: str, service: str, files: dict[str, str], all_files: Sequence[str], address: str = "") -> Step:
    """`files` are what the service reads, none when it is not wanted. `address` finds the interface they name."""
    asked = (
        f"ip -o -4 addr show to {address}/32 2>/dev/null | awk '{{print \"interface\", $2; exit}}'" if address else ":"
    )
    shown = "\n".join(f"[ ! -e {path} ] || {{ echo 'file {path}'; sed 's/^/| /' {path}; }}" for path in all_files)
    probe = f"{asked}\n{shown}\nsystemctl is-active --quiet {service} && echo active || true"
    difference: Callable[[str], Sequence[Action]]

    def absent(printed: str) -> list[Action]:
        if "file " not in printed and "active" not in printed:
            return []
        return [Run(f"{name} is not wanted here any more", undo_one(service, all_files))]

    def present(printed: str) -> list[Action]:
        interface = next((line.split()[1] for line in printed.splitlines() if line.startswith("interface ")), "eth0")
        there = _files(printed)
        actions: list[Action] = []
        for path, template in files.items():
            text = template.replace(INTERFACE, interface)
            if there.get(path) != text:
                mode = 0o755 if text.startswith("#!") else 0o644
                actions.append(Write(f"{name} is told of the masters", path, text, mode))
        if actions or "active" not in printed.splitlines():
            actions.append(Run(f"{name} runs with it", start(service)))
        return actions

    difference = present if files else absent
    return Step(name, probe, difference, undo=undo_one(service, all_files))


def start(service: str) -> str:
    """Started, or told of its new configuration without losing a connection."""
    return (
        f"set -e\nsystemctl daemon-reload\nsystemctl enable --quiet {service}\nsystemctl reload-or-restart {service}\n"
    )


def undo_one(service: str, files: Sequence[str]) -> str:
    return f"systemctl disable --now --quiet {service} 2>/dev/null\nrm -f {' '.join(files)}\nsystemctl daemon-reload\n"


def _files(printed: str) -> dict[str, str]:
    found: dict[str, str] = {}
    path = ""
    for line in printed.splitlines():
        if line.startswith("file "):
            path = line.split(" ", 1)[1]
            found[path] = ""
        elif path and line.startswith("| "):
            found[path] += line[2:] + "\n"
    return found
