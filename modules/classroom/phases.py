"""Where an update of a lab is, from what Pulumi's engine tells while it runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

START, MACHINES, INSIDE, FINISH = "start", "machines", "inside", "finish"
UP = (START, MACHINES, INSIDE, FINISH)
_DYNAMIC = "pulumi-python:dynamic"
_PROVIDER = "pulumi:providers:kubernetes"
WORDS = {
    START: "starting",
    MACHINES: "machines",
    INSIDE: "addons and apps",
    FINISH: "finishing",
}


@dataclass
class Progress:
    """The phases of one update and when each began; resources that are done, and those that were made anew."""

    began: float
    removing: bool = False
    phase: str = START
    done: int = 0
    created: int = 0
    errors: list[str] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.since = self.began

    def before(self, kind: str, now: float) -> bool:
        """A resource's turn begins; whether that is another phase."""
        if self.removing:
            return self._enter(MACHINES, now) if self.phase == START else False
        if kind.startswith(_DYNAMIC) and self.phase == START:
            return self._enter(MACHINES, now)
        # The provider needs the kubeconfig: when its turn comes, the machines are there.
        if kind == _PROVIDER and self.phase in (START, MACHINES):
            return self._enter(INSIDE, now)
        return False

    def after(self, operation: str) -> None:
        """A resource is done."""
        self.done += 1
        self.created += operation in ("create", "create-replacement")

    def summary(self, now: float) -> bool:
        """Everything is done."""
        return self._enter(FINISH, now)

    def end(self, now: float) -> None:
        """The program has ended."""
        self.spent[self.phase] = self.spent.get(self.phase, 0.0) + now - self.since
        self.since = now

    def _enter(self, phase: str, now: float) -> bool:
        self.end(now)
        self.phase = phase
        return True
