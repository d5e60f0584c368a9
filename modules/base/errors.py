"""The errors people see.

    StacklabError            what, where, command, output, hint
    ├── CommandError         a program below us failed (modules.base.shell)
    ├── ProbeTimeoutError         a condition did not come true in time (modules.base.probe)
    ├── InvalidStackError         problems in a stack file, all at once (modules.topology)
    ├── ArtifactError        an artifact is missing, tampered with or cannot be had
    ├── HostError            this machine cannot do what the lab asks for
    └── OwnershipError       an object of our name exists that we did not make

Shown once, at the top, without a stack trace; never holds a secret.
"""

from __future__ import annotations

LAST_LINES = 15


class StacklabError(Exception):
    """A problem in the words of the user.

    what:    one sentence, what went wrong.
    where:   the machine, file or resource it happened to.
    command: a command line that can be pasted into a shell to see it again.
    output:  what the program below printed; only the last lines are shown.
    hint:    the next step to take.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        command: str = "",
        output: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.command = command
        self.output = output
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.command:
            lines.append(f"  command: {self.command}")
        tail = self.output.strip().splitlines()[-LAST_LINES:]
        if tail:
            lines.append("  last output:")
            lines.extend(f"    {line}" for line in tail)
        if self.hint:
            lines.append(f"  next: {self.hint}")
        return "\n".join(lines)

    def in_one_line(self) -> str:
        """What failed, and the last thing the program below said."""
        said = [line.strip() for line in self.output.strip().splitlines() if line.strip()]
        return f"{self.what}: {said[-1]}" if said else self.what

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by Exception's own pickling.
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[StacklabError], state: dict[str, object]) -> StacklabError:
    error = kind.__new__(kind)
    Exception.__init__(error, state.get("what", ""))
    error.__dict__.update(state)
    return error


class CommandError(StacklabError):
    """A program below us failed or took too long. `code` is its exit status, None when it was stopped."""

    def __init__(
        self, what: str, *, code: int | None, command: str, output: str, where: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, where=where, command=command, output=output, hint=hint)
        self.code = code


class ProbeTimeoutError(StacklabError):
    """A condition did not come true before its deadline; `output` holds the last evidence."""


class InvalidStackError(StacklabError):
    """A stack file with problems; the message lists each with its YAML path."""


class ArtifactError(StacklabError):
    """An artifact is missing, does not match its digest, or no source has it."""


class HostError(StacklabError):
    """This machine cannot do what the lab asks for."""


class OwnershipError(StacklabError):
    """An object with the name we need exists and was not made by this lab."""
