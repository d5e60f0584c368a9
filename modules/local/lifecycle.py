"""Stopping, starting, pausing a lab whose machines are containers: they keep their addresses and all that is on them.

`Lifecycle` is what each backend can do for the commands of that name; virtual machines have it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from modules.base import kubeconfig, paths
from modules.base.errors import StacklabError
from modules.host.engine import Engine
from modules.leases import leaders
from modules.local import containers, owner
from modules.local.containers import Container

# Machines end at systemd's own signal; what pods do not end by themselves in that time is killed, as by a power cut
# whose disks were written: the kernel is this host's and goes on.
GRACE = 5
CHANGE = 120.0
API = 120.0


class Lifecycle(Protocol):
    """One lab's machines. Each call can be repeated; a lab that is not there is an error."""

    def states(self) -> Mapping[str, str]:
        """Machine -> running | paused | exited | ..., in the words of what holds it."""

    def stop(self) -> None: ...
    def start(self) -> None:
        """Returns when the API answers."""

    def pause(self) -> None: ...
    def unpause(self) -> None: ...


@dataclass(frozen=True)
class Containers:
    """The machines of a lab on kind or minikube."""

    stack: str
    engine: Engine
    owner: str

    def states(self) -> Mapping[str, str]:
        return {c.name: c.state for c in self._found()}

    def stop(self) -> None:
        """All at once; paused ones could not end by themselves."""
        self.unpause()
        running = [c.name for c in self._found() if c.running]
        if running:
            self._run("stop", "--time", str(GRACE), *running)

    def start(self) -> None:
        found = self._found()
        rested_until = bring_back(self.engine, found)
        file = paths.lab(self.stack) / "kubeconfig"
        if not file.exists():
            raise StacklabError("the lab's kubeconfig is gone", where=str(file), hint="pulumi up")
        hint = f"{self.engine.name} logs {found[0].name}"
        access = kubeconfig.read(file.read_text())
        kubeconfig.wait_for_api(access, timeout=API, where=f"stack {self.stack}", hint=hint)
        leaders.release(file, rested_until, where=f"stack {self.stack}")

    def pause(self) -> None:
        running = [c.name for c in self._found() if c.running]
        if running:
            self._run("pause", *running)

    def unpause(self) -> None:
        paused = [c.name for c in self._found() if c.state == "paused"]
        if paused:
            self._run("unpause", *paused)

    def _found(self) -> list[Container]:
        found = [c for c in containers.find(self.engine, label=f"{owner.STACK}={self.stack}") if c.owner == self.owner]
        if not found:
            raise StacklabError("no machines of this lab are here", where=f"stack {self.stack}", hint="pulumi up")
        return found

    def _run(self, *words: str) -> None:
        self.engine.run(*words, timeout=CHANGE, where=f"stack {self.stack}")


def at_rest(recorded: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, str]:
    """Recorded states with what is seen now of machines that run, rest or are paused. Pure.

    A machine that is gone, or not where it was, is what `pulumi refresh` tells.
    """
    lost = {name for name, state in seen.items() if state == "missing" or state.startswith("running ")}
    return {name: recorded.get(name, state) if name in lost else state for name, state in seen.items()}


def bring_back(engine: Engine, found: Sequence[Container]) -> datetime | None:
    """Bring stopped and paused machines back; they keep their addresses. Masters first: workers ask them at once.

    The time of it when all of them had been stopped, so that no process from before is left.
    """
    begun = datetime.now(UTC)
    paused = [c.name for c in found if c.state == "paused"]
    stopped = [c.name for c in found if not c.running and c.state != "paused"]
    if paused:
        engine.run("unpause", *paused, timeout=CHANGE)
    if stopped:
        engine.run("start", *sorted(stopped, key=lambda name: ("-worker" in name, name)), timeout=CHANGE)
    return begun if found and len(stopped) == len(found) else None
