"""What podman's netavark may leave of a network in the host's firewall: chains named after it, that nothing uses.

Removing several containers at once makes it leave a chain now and then, and even the rule of a published port that
leads to it. The network is ours and gone, so are its containers.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil

from modules.base import shell
from modules.base.probe import Answer, wait_for

TIMEOUT = 20.0


def chains(network: str) -> tuple[str, str]:
    """The names of a network's two chains in the nat table."""
    mark = hashlib.sha512(network.encode()).hexdigest()[:13].upper()
    return f"NETAVARK-{mark}", f"NETAVARK-DN-{mark}"


def leftovers(network: str, rules: str) -> list[list[str]]:
    """The iptables arguments that remove the network's chains. rules: what `iptables -t nat -S` prints. Pure."""
    ours = chains(network)
    lines = [shlex.split(line) for line in rules.splitlines()]  # a comment is one word, in quotes
    there = [chain for chain in ours if ["-N", chain] in lines]
    jumps = [
        ["-D", *words[1:]]
        for words in lines
        if words[:1] == ["-A"] and words[-2:-1] == ["-j"] and words[-1] in there and words[1] not in there
    ]
    return [*jumps, *(["-F", chain] for chain in there), *(["-X", chain] for chain in there)]


def tidy(network: str) -> None:
    """Remove what is left of a network that is gone."""
    if shutil.which("iptables") is None:
        return

    def look() -> Answer[bool]:
        rules = shell.run(["iptables", "--wait", "5", "-t", "nat", "-S"], timeout=TIMEOUT).stdout
        found = leftovers(network, rules)
        for words in found:
            # It may fail: podman may have been quicker. The next look tells.
            shell.run(["iptables", "--wait", "5", "-t", "nat", *words], timeout=TIMEOUT, check=False)
        return Answer(None if found else True, "\n".join(" ".join(words) for words in found))

    wait_for("the firewall forgets the network", look, timeout=TIMEOUT, where=f"network {network}")
