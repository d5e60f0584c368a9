"""The machine's own firewall, where one is at work, lets through what the cluster's parts say to each other.

Ports, not machines: the lab may grow. Pods' addresses are trusted, and their packets are passed on.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from modules.bootstrap.step import Action, Run, Step
from modules.bootstrap.steps.journal import FOLDER
from modules.bootstrap.steps.wish import Wish

_OPENED = f"{FOLDER}/firewall"

PROBE = """\
if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
    echo firewalld
    firewall-cmd --list-ports | tr ' ' '\\n'
    firewall-cmd --list-protocols | tr ' ' '\\n' | sed '/./s/^/protocol /'
    firewall-cmd --zone=trusted --list-sources | tr ' ' '\\n' | sed '/./s/^/source /'
elif command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
    echo ufw
    ufw show added | grep -F "'stacklab'" || true
fi
"""

UNDO = f"""\
if [ -f {_OPENED} ]; then
    while IFS= read -r undo; do sh -c "$undo" >/dev/null 2>&1 || true; done <{_OPENED}
    rm -f {_OPENED}
    if command -v firewall-cmd >/dev/null; then firewall-cmd --reload >/dev/null 2>&1 || true; fi
fi
"""


def ports(wish: Wish) -> tuple[str, ...]:
    """What must be reachable on a machine, as <port or range>/<protocol>."""
    found = ["10250/tcp", "10256/tcp", "30000-32767/tcp", "30000-32767/udp"]
    if wish.role == "master":
        found += ["6443/tcp", "2379-2380/tcp", "10257/tcp", "10259/tcp"]
        found += ["8443/tcp"] if wish.vip else []
    elif wish.etcd:
        found.append("2379-2380/tcp")
    # Calico's VXLAN, BGP and Typha, flannel's VXLAN, MetalLB's members.
    return (*found, "4789/udp", "179/tcp", "5473/tcp", "8472/udp", "7946/tcp", "7946/udp")


def step(wish: Wish) -> Step:
    def difference(printed: str) -> Sequence[Action]:
        lines = printed.splitlines()
        if not lines:
            return ()
        calls = list(_firewalld(wish, lines) if lines[0] == "firewalld" else _ufw(wish, lines))
        if not calls:
            return ()
        # What takes it back is noted before it is done.
        script = f"mkdir -p {FOLDER}\n"
        script += "".join(f"echo {shlex.quote(back)} >>{_OPENED}\n{call}\n" for _, call, back in calls)
        script += "firewall-cmd --reload\n" if lines[0] == "firewalld" else ""
        return (Run(f"{lines[0]} is at work and does not let through {', '.join(w for w, _, _ in calls)}", script),)

    return Step("firewall", PROBE, difference, UNDO)


def _firewalld(wish: Wish, lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    permanent = "firewall-cmd --permanent"
    for port in ports(wish):
        if port not in lines:
            yield port, f"{permanent} --add-port={port}", f"{permanent} --remove-port={port}"
    if wish.vip and wish.role == "master" and "protocol vrrp" not in lines:
        yield "vrrp", f"{permanent} --add-protocol=vrrp", f"{permanent} --remove-protocol=vrrp"
    if f"source {wish.pods}" not in lines:
        zone = f"{permanent} --zone=trusted"
        yield f"pods ({wish.pods})", f"{zone} --add-source={wish.pods}", f"{zone} --remove-source={wish.pods}"


def _ufw(wish: Wish, lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    have = "\n".join(lines)
    for port in ports(wish):
        rule = f"allow {port.replace('-', ':')}"
        if f"ufw {rule} comment" not in have:
            yield port, f"ufw {rule} comment stacklab", f"ufw delete {rule}"
    rules = [("pods", f"allow from {wish.pods}"), ("pods' routes", f"route allow from {wish.pods}")]
    rules.append(("routes to pods", f"route allow to {wish.pods}"))
    for what, rule in rules:
        if f"ufw {rule} comment" not in have:
            back = rule.replace("route allow", "route delete allow") if "route" in rule else f"delete {rule}"
            yield f"{what} ({wish.pods})", f"ufw {rule} comment stacklab", f"ufw {back}"
