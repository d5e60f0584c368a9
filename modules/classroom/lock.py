"""One command at a time changes a class: a lock that says who holds it, and that ends with its holder.

It is this checkout's. Teachers with checkouts of their own and one Pulumi backend are kept apart by Pulumi's lock on
each stack (engine.py says who holds that).
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from modules.base import paths
from modules.base.errors import StacklabError


@contextlib.contextmanager
def hold(class_name: str) -> Iterator[None]:
    """Hold the class while the block runs; an error tells who has it already."""
    path = _file(class_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            # The kernel gives it back when the holder ends, however that happens.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StacklabError(
                f"another command is changing this class: {holder(class_name)}",
                where=f"class {class_name}",
                hint=f"wait until it has ended; `stacklab class status {class_name}` looks without waiting",
            ) from None
        file.truncate(0)
        file.write(json.dumps(_me()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def holder(class_name: str) -> str:
    """Who wrote into the lock last, in words; "" when nobody did."""
    try:
        who = json.loads(_file(class_name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return ""
    return f"`{who['command']}` of {who['user']} on {who['host']} (process {who['pid']}), since {who['since']}"


def held(class_name: str) -> str:
    """Who holds the class now, in words; "" when nobody does."""
    try:
        with _file(class_name).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return ""
    except BlockingIOError:
        return holder(class_name) or "somebody"
    return ""


def _me() -> dict[str, object]:
    command = [Path(sys.argv[0]).name, *sys.argv[1:]]
    return {
        "command": shlex.join(command),
        "user": _user(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now().astimezone().strftime("%H:%M:%S"),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return str(os.getuid())


def _file(class_name: str) -> Path:
    return paths.work() / "classes" / class_name / "lock"
