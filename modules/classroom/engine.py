"""Pulumi's Automation API for one checkout: stacks are made, updated and removed by threads side by side.

The programs are Pulumi's own, run as everything is (modules.base.shell) and in process groups of their own, so that
Ctrl-C reaches them when we say so. The stack that a user has selected stays selected.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation._cmd import OnOutput
from pulumi.automation.errors import CommandError as PulumiError
from pulumi.automation.errors import ConcurrentUpdateError, StackAlreadyExistsError, create_command_error
from semver import VersionInfo

from modules import pulumi_home
from modules.base import paths, probe, shell
from modules.base.errors import StacklabError
from modules.classroom.aside import Aside
from modules.classroom.holder import Holder, refusal
from modules.classroom.holder import find as found_holder
from modules.classroom.phases import Progress

LONGEST = 3600.0
LEFT_BEHIND = 900.0
# Fields that a student has written by kubectl are that manager's: an apply without force ends in a conflict.
TAKING_BACK = {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}
_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")


class _Command(automation.PulumiCommand):
    """The `pulumi` of this checkout, through our one door to other programs."""

    def __init__(self) -> None:
        self.command = str(pulumi_home.pulumi_binary())
        told = shell.run([self.command, "version"], timeout=60).stdout.strip()
        self.version = VersionInfo.parse(told.removeprefix("v"))
        self._passwords = pulumi_home.backend_passwords()

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> automation.CommandResult:
        words = [self.command, *args, *([] if "--non-interactive" in args else ["--non-interactive"])]
        env = {**additional_env, "PULUMI_AUTOMATION_API": "true"}
        ran = shell.run(words, timeout=LONGEST, env=env, cwd=Path(cwd), check=False, on_line=on_output)
        # Pulumi names its backend when it fails, with a password that a user put there.
        out, err = (shell.hide(text, self._passwords) for text in (ran.stdout, ran.stderr))
        found = automation.CommandResult(stdout=out, stderr=err, code=ran.code)
        if ran.code != 0:
            raise create_command_error(found)
        return found


class _Workspace(automation.LocalWorkspace):
    """The checkout, without selecting stacks: that would be the user's own selection."""

    def create_stack(self, stack_name: str) -> None:
        self._run_pulumi_cmd_sync(["stack", "init", stack_name, "--no-select"])

    def select_stack(self, stack_name: str) -> None:
        """Every command names its stack."""


class _Stack(automation.Stack):
    """Nobody asks for outputs or history after an update, and reading each costs a program."""

    def outputs(self) -> Any:
        return {}

    def info(self, show_secrets: bool = True) -> Any:
        return {}


class Engine:
    """Makes and removes labs. One for all threads; the process has the variables of pulumi_home.prepare()."""

    def __init__(self) -> None:
        command = _Command()
        self._workspace = _Workspace(work_dir=str(paths.checkout()), pulumi_command=command)
        self._taking_back = _Workspace(
            work_dir=str(paths.checkout()), pulumi_command=command, env_vars=dict(TAKING_BACK)
        )
        self._reached_by_others = not pulumi_home.backend().startswith("file://")

    def stacks(self) -> Mapping[str, automation.StackSummary]:
        """The stacks that are there, by name."""
        return {summary.name: summary for summary in self._workspace.list_stacks()}

    def up(
        self,
        stack: str,
        *,
        new: bool,
        progress: Progress,
        on_phase: Callable[[], None],
        refresh: bool = False,
        program: Callable[[], None] | None = None,
    ) -> None:
        """Make a lab, or make it whole. refresh: look first what is left of it, and take back what others wrote.

        program: what __main__.py does for this stack, to be run by this process instead of a Python of its own.
        """
        held = _held(stack, self._taking_back if refresh else self._workspace, new=new)
        self._guarded(
            held,
            lambda: held.up(
                on_event=_listener(progress, on_phase),
                color="never",
                show_secrets=False,
                suppress_outputs=True,
                refresh=refresh,
                program=program,
            ),
            progress,
        )

    def down(
        self,
        stack: str,
        *,
        progress: Progress,
        on_phase: Callable[[], None],
        program: Callable[[], None] | None = None,
    ) -> None:
        """Remove a lab and forget its stack; the stack file stays for who wrote it to remove. program: as in `up`."""
        held = _Stack(stack, self._workspace, automation._stack.StackInitMode.SELECT)
        self._guarded(
            held,
            lambda: held.destroy(
                on_event=_listener(progress, on_phase), color="never", show_secrets=False, program=program
            ),
            progress,
        )
        self._workspace.remove_stack(stack, preserve_config=True)

    def preview(
        self, stack: str, *, aside: Aside, new: bool, progress: Progress, on_phase: Callable[[], None]
    ) -> Mapping[str, int]:
        """How many resources an update of a lab would make, change, ...; by operation, as Pulumi counts them.

        new: no stack of this name is there; one is made in the state aside, which goes with it.
        """
        env = {"PULUMI_BACKEND_URL": aside.backend} if new else {}
        workspace = _Workspace(work_dir=str(aside.folder), pulumi_command=self._workspace.pulumi_command, env_vars=env)
        mode = automation._stack.StackInitMode
        counts: dict[str, int] = {}

        def look() -> None:
            held = _Stack(stack, workspace, mode.CREATE if new else mode.SELECT)
            told = held.preview(on_event=_listener(progress, on_phase), color="never", suppress_outputs=True)
            counts.update({str(getattr(name, "value", name)): count for name, count in told.change_summary.items()})

        _told(stack, look, progress, "nothing was changed")
        return counts

    def copy_aside(self, stack: str, aside: Aside) -> None:
        """What a stack's outputs are, for new stacks aside that refer to it. Its secrets stay encrypted."""
        file = aside.folder / f"{stack}.json"
        env = {"PULUMI_BACKEND_URL": aside.backend}
        away = _Workspace(work_dir=str(aside.folder), pulumi_command=self._workspace.pulumi_command, env_vars=env)

        def copy() -> None:
            # Not Automation's own export: that one decrypts.
            self._workspace._run_pulumi_cmd_sync(["stack", "export", "--stack", stack, "--file", str(file)])
            away.create_stack(stack)
            away._run_pulumi_cmd_sync(["stack", "import", "--stack", stack, "--file", str(file)])

        _told(stack, copy, Progress(time.monotonic()), "nothing was changed")

    def interrupt(self) -> None:
        """Ask every `pulumi` that we run to end after what it is doing; asked twice, it ends at once."""
        for pid in _children(Path(self._workspace.pulumi_command.command).name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)

    def _guarded(self, stack: automation.Stack, action: Callable[[], object], progress: Progress) -> None:
        """Run it; a lock that a dead process of this host left is taken away first.

        Not from a backend that others reach too: a machine of theirs may have the name of this one.
        """

        def run() -> None:
            try:
                action()
            except ConcurrentUpdateError as error:
                holder = found_holder(str(error))
                if holder is not None and _left_behind(holder):
                    _wait_for_end(holder, stack.name)
                elif holder is None or not holder.dead or self._reached_by_others:
                    raise refusal(stack.name, holder, str(error)) from None
                with contextlib.suppress(PulumiError):  # it may have given its lock back
                    stack.cancel()
                action()

        _told(stack.name, run, progress, "the same command again goes on from there")


def _told(stack: str, action: Callable[[], object], progress: Progress, hint: str) -> None:
    """Run it; what Pulumi complains of becomes an error of ours, and the time of the last phase is known."""
    try:
        action()
    except PulumiError as error:
        raise StacklabError(
            progress.errors[0].splitlines()[0] if progress.errors else "pulumi failed",
            where=f"stack {stack}",
            output="\n".join(progress.errors) or str(error),
            hint=hint,
        ) from None
    finally:
        progress.end(time.monotonic())


def _held(stack: str, workspace: _Workspace, *, new: bool) -> _Stack:
    """The stack, made if it is new; another teacher may have made it since we looked."""
    mode = automation._stack.StackInitMode
    if new:
        with contextlib.suppress(StackAlreadyExistsError):
            return _Stack(stack, workspace, mode.CREATE)
    return _Stack(stack, workspace, mode.SELECT)


def _listener(progress: Progress, on_phase: Callable[[], None]) -> Callable[[automation.EngineEvent], None]:
    def listen(event: automation.EngineEvent) -> None:
        now = time.monotonic()
        changed = False
        if event.resource_pre_event:
            changed = progress.before(event.resource_pre_event.metadata.type, now)
        elif event.res_outputs_event:
            progress.after(str(event.res_outputs_event.metadata.op.value))
        elif event.summary_event and not progress.errors:  # what failed stays in the phase where it failed
            changed = progress.summary(now)
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            text = _COLOUR.sub("", event.diagnostic_event.message).strip().removeprefix("error: ")
            # What many objects complain of alike is told once.
            if text not in ("", "update failed", "preview failed", *progress.errors):
                progress.errors.append(text)
        if changed:
            on_phase()

    return listen


def _left_behind(holder: Holder) -> bool:
    """Whether it is an update that a killed run of ours left running: who holds the class's lock runs no other."""
    if holder.process is None:
        return False
    try:
        ours = b"PULUMI_AUTOMATION_API=true" in (holder.process / "environ").read_bytes()
        return ours and (holder.process / "cwd").readlink() == paths.checkout()
    except OSError:
        return False


def _wait_for_end(holder: Holder, stack: str) -> None:
    probe.wait_for(
        f"the update that a killed run left behind (process {holder.pid}) ends",
        lambda: probe.Answer(True if holder.dead else None, "it still runs"),
        timeout=LEFT_BEHIND,
        where=f"stack {stack}",
    )


def _children(name: str) -> list[int]:
    """Our own child processes of that name."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                head, _, tail = (process / "stat").read_text().rpartition(")")
                if int(tail.split()[1]) == os.getpid() and head.partition("(")[2] == name[:15]:
                    found.append(int(process.name))
    return found
