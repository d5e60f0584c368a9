"""A lab as a test holds it: its stack file as data, and the commands a user would give."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modules.base.probe import Answer, wait_for
from tests.support.project import UP_SECONDS, Project, Ran, kill_group

UP = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never")

SMALL: dict[str, Any] = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico"],
    "apps": [],
}
"""The least that is still a lab: one node, a network."""


@dataclass
class Lab:
    project: Project
    stack: str
    spec: dict[str, Any]
    patience: float = UP_SECONDS

    @classmethod
    def of(cls, project: Project, stack: str, spec: dict[str, Any]) -> Lab:
        lab = cls(project, stack, copy.deepcopy(spec))
        lab.save()
        project.init(stack)
        return lab

    @classmethod
    def like(cls, project: Project, stack: str, stack_file: Path) -> Lab:
        return cls.of(project, stack, yaml.safe_load(stack_file.read_text())["config"]["stacklab:lab"])

    def save(self) -> None:
        self.project.write(self.stack, self.spec)

    def up(self, *args: str) -> Ran:
        self.save()
        return self.project.up(self.stack, *args, timeout=self.patience)

    def start_up(self) -> subprocess.Popen[str]:
        """An `up` that is under way, for `kill`."""
        self.save()
        return self.project.start(*UP, "--stack", self.stack)

    def kill(self, running: subprocess.Popen[str]) -> None:
        """SIGKILL to an `up` and all it started; the stack is free for the next one."""
        kill_group(running)
        self.project.pulumi("cancel", "--yes", stack=self.stack)

    def kill_up_when(self, moment: str, reached: Callable[[Lab], bool], seen: Callable[[Lab], object]) -> None:
        """Begin an `up`, and kill it as soon as it has come so far; `seen` is told when it never does."""
        running = self.start_up()

        def look() -> Answer[bool]:
            if running.poll() is not None:
                raise AssertionError(f"up ended before '{moment}':\n{running.communicate()[0]}")
            return Answer(reached(self) or None, str(seen(self)))

        wait_for(moment, look, timeout=180, every=0.05)
        self.kill(running)

    def unchanged(self) -> Ran:
        return self.up("--expect-no-changes")

    def outputs(self) -> dict[str, Any]:
        return self.project.outputs(self.stack)

    def exposure(self, app: str, kind: str) -> dict[str, Any]:
        found = [e for e in self.outputs()["exposures"] if (e["app"], e["kind"]) == (app, kind)]
        assert len(found) == 1, f"{app}/{kind} in {self.outputs()['exposures']}"
        one: dict[str, Any] = found[0]
        return one

    def kubectl(self, *args: str, timeout: float = 60) -> Ran:
        return self.project.kubectl(self.stack, *args, timeout=timeout)

    def get(self, *what: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *what, "-o", "json").ok().output)
        return found

    def verify(self) -> Ran:
        return self.project.run("stacklab", "verify", self.stack, timeout=1000)

    def destroy(self) -> Ran:
        return self.project.destroy(self.stack)

    def receipt(self) -> Ran:
        return self.project.run("stacklab", "receipt", self.stack)

    def remove(self) -> None:
        """Destroy it whatever its state, and forget the stack."""
        self.project.pulumi("cancel", "--yes", stack=self.stack)
        self.destroy().ok()
        self.project.pulumi("stack", "rm", "--yes", "--preserve-config", stack=self.stack).ok()


def tear_down(project: Project) -> None:
    """Remove what failed tests left of this project's labs."""
    listed = project.run("pulumi", "stack", "ls", "--json", "--non-interactive").output
    stacks = json.loads(listed[listed.index("[") :]) if "[" in listed else []
    for stack in stacks:
        Lab(project, stack["name"], {}).remove()
