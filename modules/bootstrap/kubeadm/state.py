"""What a machine has of a cluster, and what that means for us. Pure but for `look` and `note`.

A mark says whose the node is and how far it came: `begun` is written before kubeadm starts, `whole` when all is done.
What a killed run left is therefore known as ours, and a stranger's cluster is never touched.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from modules.base.errors import OwnershipError
from modules.bootstrap.step import Write
from modules.machines.remote import Remote

MARK = "/etc/stacklab/cluster.json"
BEGUN, WHOLE = "begun", "whole"
# Any of these says that kubeadm has been here.
SIGNS = ("/etc/kubernetes/kubelet.conf", "/etc/kubernetes/admin.conf", "/etc/kubernetes/manifests/kube-apiserver.yaml")

PROBE = f"""\
echo mark "$(cat {MARK} 2>/dev/null | tr -d '\\n')"
for sign in {" ".join(SIGNS)}; do [ ! -e "$sign" ] || echo sign "$sign"; done
"""


@dataclass(frozen=True)
class Mark:
    """Whose the node is. generation is the cluster's, known when the node is whole."""

    owner: str
    stack: str
    state: str
    generation: str = ""


class Verdict(StrEnum):
    """What to do with a machine."""

    FRESH = "fresh"  # nothing of a cluster is there
    HALF = "half"  # ours, and not finished: reset first
    OURS = "ours"  # a whole node of this lab's cluster
    OTHER = "other"  # ours, of a cluster that is no more: reset first
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Seen:
    """What the probe printed."""

    mark: Mark | None
    signs: tuple[str, ...]


def parse(printed: str) -> Seen:
    """From the probe's lines; a mark that is not whole counts as none."""
    mark, signs = None, []
    for line in printed.splitlines():
        word, _, rest = line.partition(" ")
        if word == "mark":
            mark = _mark(rest)
        elif word == "sign":
            signs.append(rest)
    return Seen(mark, tuple(signs))


def judge(seen: Seen, owner: str, stack: str, generation: str = "") -> Verdict:
    """generation is that of the cluster that the machine should be in; "" when any of ours will do."""
    mark = seen.mark
    if mark is None:
        return Verdict.FOREIGN if seen.signs else Verdict.FRESH
    if (mark.owner, mark.stack) != (owner, stack):
        return Verdict.FOREIGN
    if mark.state != WHOLE or SIGNS[0] not in seen.signs:
        return Verdict.HALF
    return Verdict.OTHER if generation and mark.generation != generation else Verdict.OURS


def look(remote: Remote, owner: str, stack: str, generation: str = "") -> Verdict:
    """The verdict on a machine; a stranger's cluster is an error."""
    seen = parse(remote.run(PROBE, timeout=30).stdout)
    verdict = judge(seen, owner, stack, generation)
    if verdict is Verdict.FOREIGN:
        whose = f"stack {seen.mark.stack} of another checkout" if seen.mark else "nobody we know"
        raise OwnershipError(
            f"this machine is a node of a cluster of {whose}",
            where=remote.login.machine,
            output="\n".join((*seen.signs, *([MARK] if seen.mark else []))),
            hint="take another machine, or remove that cluster from it: kubeadm reset",
        )
    return verdict


def text(mark: Mark) -> str:
    return json.dumps(asdict(mark)) + "\n"


def note(remote: Remote, mark: Mark) -> None:
    """Write the mark."""
    write = Write("whose node this is", MARK, text(mark))
    remote.write(write.path, write.content, write.mode)


def _mark(printed: str) -> Mark | None:
    try:
        found: Any = json.loads(printed)
        return Mark(*(str(found.get(key, "")) for key in ("owner", "stack", "state", "generation")))
    except (ValueError, AttributeError):
        return None
