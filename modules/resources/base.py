"""What the dynamic providers share: typed properties, a diff by named fields with reasons, an end with Pulumi."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.dynamic import CheckFailure, ConfigureRequest, DiffResult, ResourceProvider
from pulumi.output import Unknown
from pulumi.runtime import rpc

from modules.base.errors import StacklabError

Props = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One difference between what is and what is wanted, in words."""

    field: str
    reason: str
    replace: bool


class Provider(ResourceProvider):
    """A provider without state of its own: nothing is captured, nothing needs to be secret."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Called once in the provider's process, before anything else."""
        _end_with_pulumi()


def known(value: object) -> bool:
    """False when a preview does not know the value yet, or a part of it."""
    if isinstance(value, Mapping):
        return all(known(v) for v in value.values())
    if isinstance(value, list | tuple):
        return all(known(v) for v in value)
    return not isinstance(value, Unknown) and value != rpc.UNKNOWN


def without_provider(props: Props) -> dict[str, Any]:
    """The properties alone: Pulumi keeps the serialized provider among them."""
    return {key: value for key, value in props.items() if key != "__provider"}


def text(props: Props, key: str) -> str:
    """A text property; a missing one is ""."""
    value = props.get(key)
    return "" if value is None else str(value)


def number(props: Props, key: str) -> int:
    """A whole number: Pulumi hands every number over as a float."""
    return int(props[key])


def compare(olds: Props, news: Props, fields: Mapping[str, str]) -> list[Change]:
    """A Change that needs a replacement for each of `fields` (property -> its name for people) that differs."""
    return [
        Change(field, f"{title} {_show(olds.get(field))} -> {_show(news.get(field))}", replace=True)
        for field, title in fields.items()
        if olds.get(field) != news.get(field)
    ]


def diff_result(what: str, changes: Iterable[Change], *, by_update: bool = False) -> DiffResult:
    """Pulumi's answer from our changes, which are told to the user first. by_update: `update` makes it anew itself."""
    found = list(changes)
    replaces = [c.field for c in found if c.replace]
    if found:
        verdict = "must be made anew" if replaces else "can be changed in place"
        tell(f"{what} {verdict}: " + "; ".join(c.reason for c in found))
    return DiffResult(changes=bool(found), replaces=[] if by_update else replaces, delete_before_replace=True)


def tell(message: str) -> None:
    """A line among Pulumi's diagnostics: the engine shows what a provider writes to its standard error."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def failures(field: str, errors: Iterable[StacklabError | str]) -> list[CheckFailure]:
    """Reasons why an input cannot be."""
    return [CheckFailure(field, str(error)) for error in errors]


def _show(value: object) -> str:
    if not known(value):
        return "(not known yet)"
    return "none" if value in (None, "") else str(value)


def _end_with_pulumi() -> None:
    """End this process when Pulumi is gone: a SIGKILL of `pulumi up` would leave it behind for good."""
    started_by = _ancestors()

    def watch() -> None:
        while _ancestors() == started_by:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, name="stacklab-watch-pulumi", daemon=True).start()


def _ancestors() -> tuple[int, int]:
    """The parent and its parent: Pulumi starts a shell script that starts us, and that script outlives Pulumi too."""
    parent = os.getppid()
    try:
        # pid (name) state ppid ...; the name may hold anything.
        stat = Path(f"/proc/{parent}/stat").read_text()
    except OSError:
        return parent, 0
    return parent, int(stat.rpartition(")")[2].split()[1])
