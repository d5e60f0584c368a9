"""The lab's lines of a machine's hosts file, and the block that holds them. Pure.

Every machine knows all machines by full and short name, and the API by a name of its own whose address differs with
the machine: so the API moves, and no certificate and no kubeconfig has to.
"""

from __future__ import annotations

from collections.abc import Sequence

from modules.base.errors import StacklabError
from modules.topology.plan import LabPlan, Machine

Entry = tuple[str, tuple[str, ...]]
LOCAL = "127.0.0.1"


def api_name(cluster: str) -> str:
    """The name of the API in every machine's hosts file."""
    return f"api.{cluster}.internal"


def api_address(plan: LabPlan, machine: Machine) -> str:
    """Where `machine` reaches the API: the virtual address, its own or the only master's, or its own haproxy."""
    masters = [m for m in plan.machines if m.role == "master"]
    if plan.network.endpoint:
        return plan.network.endpoint
    if len(masters) == 1:
        return masters[0].address
    return machine.address if machine.role == "master" else LOCAL


def entries(plan: LabPlan, machine: Machine) -> tuple[Entry, ...]:
    """The lines of one machine, in the order of the stack file; the API's comes last."""
    found = [(m.address, tuple(dict.fromkeys([m.name, m.name.split(".")[0]]))) for m in plan.machines]
    return (*found, (api_address(plan, machine), (api_name(plan.cluster),)))


def begin(stack: str) -> str:
    return f"# stacklab {stack} begin"


def end(stack: str) -> str:
    return f"# stacklab {stack} end"


def block(stack: str, lines: Sequence[Entry]) -> str:
    """The block as text."""
    inside = [f"{address} {' '.join(names)}" for address, names in lines]
    return "\n".join([begin(stack), *inside, end(stack)]) + "\n"


def insert(content: str, stack: str, lines: Sequence[Entry]) -> str:
    """The file with the stack's block.

    It comes first: many systems have a line that gives their own name a loopback address, and the first line counts.
    """
    return block(stack, lines) + remove(content, stack)


def remove(content: str, stack: str) -> str:
    """The file without the stack's block, byte for byte what it was before."""
    lines = content.splitlines(keepends=True)
    marks = [line.rstrip() for line in lines]
    starts = [n for n, line in enumerate(marks) if line == begin(stack)]
    stops = [n for n, line in enumerate(marks) if line == end(stack)]
    if not starts and not stops:
        return content
    if len(starts) != 1 or len(stops) != 1 or starts[0] > stops[0]:
        raise StacklabError(
            f"the markers of the block of stack {stack} are broken: {len(starts)} begin, {len(stops)} end",
            where="/etc/hosts",
            hint=f"mend by hand the lines '{begin(stack)}' and '{end(stack)}'",
        )
    return "".join(lines[: starts[0]] + lines[stops[0] + 1 :])


def removal(stack: str) -> str:
    """The same as a script."""
    return f"""\
if grep -qx '{begin(stack)}' /etc/hosts && grep -qx '{end(stack)}' /etc/hosts; then
    rest=$(mktemp)
    sed '/^{begin(stack)}$/,/^{end(stack)}$/d' /etc/hosts >"$rest"
    cat "$rest" >/etc/hosts
    rm -f "$rest"
fi
"""
