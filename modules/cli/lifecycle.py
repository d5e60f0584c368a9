"""`stacklab stop`, `start`, `pause`, `unpause`: a lab at rest, and back. Addresses and data stay."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import output, stacks

if TYPE_CHECKING:
    from modules.local.lifecycle import Lifecycle
    from modules.machines.libvirt.lifecycle import VirtualMachines

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def register(app: typer.Typer) -> None:
    """Add the four commands."""

    @app.command()
    def stop(stack: stacks.Stack = stacks.DEFAULT, json: Json = False) -> None:
        """Stop a lab's machines; `start` brings back the same lab at the same addresses."""
        _do(stack, "stop", as_json=json)

    @app.command()
    def start(stack: stacks.Stack = stacks.DEFAULT, json: Json = False) -> None:
        """Start a stopped lab, and wait until its API answers and its virtual machines report to it."""
        _do(stack, "start", as_json=json)

    @app.command()
    def pause(stack: stacks.Stack = stacks.DEFAULT, json: Json = False) -> None:
        """Freeze a lab's machines in memory: they take no processor time."""
        _do(stack, "pause", as_json=json)

    @app.command()
    def unpause(stack: stacks.Stack = stacks.DEFAULT, json: Json = False) -> None:
        """Let a frozen lab go on where it was."""
        _do(stack, "unpause", as_json=json)


def _do(stack: str, verb: str, *, as_json: bool) -> None:
    lab = of(stack)
    started = time.monotonic()
    getattr(lab, verb)()
    states = lab.states()
    if as_json:
        output.as_json(dict(states))
        return
    output.table("", ["machine", "state"], [[name, state] for name, state in states.items()])
    print(f"{stack}: {verb} took {time.monotonic() - started:.1f} s")


def of(stack: str) -> Lifecycle:
    """The lab of a stack, by its backend."""
    from modules.base.errors import StacklabError

    backend = stacks.load(stack).backend
    make = _backends().get(backend)
    if make is None:
        raise StacklabError(
            f"labs on {backend} cannot be stopped and started yet",
            where=f"stack {stack}",
            hint=f"this works on {', '.join(_backends())}",
        )
    return make(stack)


def _backends() -> Mapping[str, Callable[[str], Lifecycle]]:
    return {"kind": _containers, "minikube": _containers, "libvirt": virtual_machines}


def _containers(stack: str) -> Lifecycle:
    from modules.host import engine
    from modules.local.lifecycle import Containers
    from modules.local.owner import owner_id

    return Containers(stack, engine.choose(), owner_id())


def virtual_machines(stack: str) -> VirtualMachines:
    """The lab of a stack whose machines are libvirt's."""
    from modules.local.owner import owner_id
    from modules.machines.libvirt.lifecycle import VirtualMachines
    from modules.topology.plan import plan

    lab = plan(stacks.load(stack), stack)
    control = tuple(m.name for m in lab.machines if m.role == "master" or m.name in lab.etcd)
    return VirtualMachines(stack, lab.cluster, lab.libvirt.uri, owner_id(), control)
