"""The container network of one lab: made with fixed ranges, adopted when it is our own, removed with our leftovers."""

from __future__ import annotations

from dataclasses import dataclass

from modules.base.errors import OwnershipError, StacklabError
from modules.host.engine import Engine
from modules.local import containers, netavark, owner
from modules.local.containers import ContainerNet

CHANGE = 60.0


@dataclass(frozen=True)
class NetworkSpec:
    """One network. Its name is the cluster's."""

    stack: str
    name: str
    subnet: str
    gateway: str


def create(engine: Engine, spec: NetworkSpec, owner_id: str) -> None:
    """Make the network; our own leftover of the same ranges is adopted, one of other ranges made anew."""
    there = containers.network(engine, spec.name)
    if there:
        refuse_stranger(engine, there, owner_id)
        if (there.subnet, there.gateway) == (spec.subnet, spec.gateway):
            return
        delete(engine, spec.stack, spec.name, owner_id)
    words = [word for key, value in owner.marks(spec.stack, owner_id).items() for word in ("--label", f"{key}={value}")]
    engine.run(
        *("network", "create", "--driver", "bridge", "--subnet", spec.subnet, "--gateway", spec.gateway),
        *(*words, spec.name),
        timeout=CHANGE,
        where=f"network {spec.name}",
        hint="`stacklab doctor`, or another range under network.machines of the stack file",
    )


def look(engine: Engine, name: str, owner_id: str) -> ContainerNet | None:
    """Our network of that name, or None when it is gone or a stranger's."""
    there = containers.network(engine, name)
    return there if there and there.labels.get(owner.OWNER) == owner_id else None


def delete(engine: Engine, stack: str, name: str, owner_id: str) -> None:
    """Remove our network. A lab's own containers that an interrupted run left on it go with it; strangers' never."""
    there = look(engine, name, owner_id)
    if there is None:
        return
    found = containers.find(engine, label=f"{owner.STACK}={stack}")
    containers.remove(engine, [c for c in found if c.owner == owner_id])
    containers.remove_volumes(engine, stack, owner_id)
    left = containers.find(engine, names=there.containers)
    if left:
        raise StacklabError(
            f"{len(left)} containers that stacklab did not make are on the lab's network",
            where=f"network {name}",
            command=f"{engine.name} ps -a --filter network={name}",
            output="\n".join(f"{c.name}  {c.state}  made {c.maker}" for c in left),
            hint=f"disconnect each: {engine.name} network disconnect {name} {left[0].name}; then again",
        )
    engine.run("network", "rm", name, timeout=CHANGE, where=f"network {name}")
    if engine.name == "podman":
        netavark.tidy(name)


def refuse_stranger(engine: Engine, there: ContainerNet, owner_id: str) -> None:
    """Raise OwnershipError when the network was not made by this checkout."""
    mark = there.labels.get(owner.OWNER, "")
    if mark == owner_id:
        return
    maker = f"by the stacklab checkout {there.labels.get(owner.CHECKOUT, '?')}" if mark else "outside stacklab"
    raise OwnershipError(
        f"the network {there.name} ({there.subnet}) is there already and was made {maker}; it stays as it is",
        where=f"{engine.name} on this host",
        command=f"{engine.name} network inspect {there.name}",
        hint="give this stack another name, or remove the other network where it was made",
    )
