"""A stacklab project of the tests' own: this checkout's code, other stacks, another state.

A user's labs in this checkout are never touched: state, passphrase, lab folders and stack files are all in `folder`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
UP_SECONDS = 600


def own_folder(name: str) -> Path:
    """A folder of this checkout for a project that only this process has."""
    return CHECKOUT / ".stacklab" / "-".join(filter(None, (name, os.environ.get("PYTEST_XDIST_WORKER"))))


@dataclass(frozen=True)
class Ran:
    """A finished command: exit status and both streams together."""

    code: int
    output: str

    def ok(self) -> Ran:
        """Itself, when the command succeeded; else the test fails and shows what was printed."""
        if self.code != 0:
            raise AssertionError(f"exit status {self.code}\n{self.output[-6000:]}")
        return self


@dataclass
class Project:
    """A folder with Pulumi.yaml, __main__.py, links to our packages, and stacks of its own."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    inside: tuple[str, ...] = ()

    @classmethod
    def make(cls, folder: Path) -> Project:
        """With Pulumi and all that it needs at hand."""
        project = cls.bare(folder)
        project.prepare()
        return project

    @classmethod
    def bare(cls, folder: Path, more: Mapping[str, str] | None = None, inside: Sequence[str] = ()) -> Project:
        """The folder alone; more: variables of its own; inside: words that run its commands somewhere else."""
        (folder / "stacks").mkdir(parents=True, exist_ok=True)
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(CHECKOUT / name, folder / name)
        for name in ("modules", "addons", ".venv"):
            link = folder / name
            if not link.is_symlink():
                link.symlink_to(CHECKOUT / name)
        env = {
            **os.environ,
            "STACKLAB_PROJECT": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(more or {}),
        }
        return cls(folder, env, tuple(inside))

    def prepare(self) -> None:
        """What a user's shell has after `eval "$(stacklab env)"`."""
        output = self.run("sh", "-ec", 'eval "$(stacklab env)" && env -0').ok().output
        self.env = {key: value for key, _, value in (entry.partition("=") for entry in output.split("\0")) if key}

    # -- stack files ---------------------------------------------------------------------------------------------

    def stack_file(self, stack: str) -> Path:
        return self.folder / "stacks" / f"Pulumi.{stack}.yaml"

    def write(self, stack: str, lab: Mapping[str, Any]) -> None:
        """Write the lab of a stack file, keeping what Pulumi itself wrote there (the salt)."""
        path = self.stack_file(stack)
        data = yaml.safe_load(path.read_text()) if path.exists() else {}
        data.setdefault("config", {})["stacklab:lab"] = dict(lab)
        path.write_text(yaml.safe_dump(data, sort_keys=False))

    # -- commands ------------------------------------------------------------------------------------------------

    def run(self, *argv: str, timeout: float = 120) -> Ran:
        """Until it ends. What it started ends with it also when it takes too long or the test is interrupted."""
        running = self.start(*argv)
        try:
            output, _ = running.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as late:
            kill_group(running)
            raise AssertionError(f"{' '.join(argv)}: no end after {timeout} s\n{_text(late.stdout)[-6000:]}") from None
        except BaseException:
            kill_group(running)
            raise
        return Ran(running.returncode, output)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """A command in a process group of its own, to be killed as a whole."""
        return subprocess.Popen(
            self._words(argv),
            cwd=self.folder,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _words(self, argv: Sequence[str]) -> list[str]:
        """Entering another place loses the folder."""
        return [*self.inside, "env", f"--chdir={self.folder}", *argv] if self.inside else [*argv]

    def pulumi(self, *args: str, stack: str, timeout: float = UP_SECONDS) -> Ran:
        return self.run("pulumi", *args, "--stack", stack, "--non-interactive", "--color=never", timeout=timeout)

    def init(self, stack: str) -> None:
        self.pulumi("stack", "select", "--create", stack=stack).ok()

    def up(self, stack: str, *args: str, timeout: float = UP_SECONDS) -> Ran:
        self.init(stack)
        return self.pulumi("up", "--yes", "--skip-preview", *args, stack=stack, timeout=timeout)

    def destroy(self, stack: str) -> Ran:
        return self.pulumi("destroy", "--yes", "--skip-preview", stack=stack)

    def outputs(self, stack: str) -> dict[str, Any]:
        text = self.pulumi("stack", "output", "--json", stack=stack).ok().output
        found: dict[str, Any] = json.loads(text[text.index("{") :])
        return found

    def kubectl(self, stack: str, *args: str, timeout: float = 60) -> Ran:
        kubeconfig = self.outputs(stack)["kubeconfigFile"]
        return self.run("kubectl", "--kubeconfig", kubeconfig, *args, timeout=timeout)


def kill_group(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the command and all it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(data: bytes | str | None) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else data or ""
