"""Who made an object on this host: an id of this checkout, drawn once, on everything that we make.

An object that carries another id, or none, belongs to somebody else and is neither changed nor removed.
"""

from __future__ import annotations

import contextlib
import os
import secrets

from modules.base import paths

OWNER = "stacklab.owner"
STACK = "stacklab.stack"
CHECKOUT = "stacklab.checkout"
CONFIGURATION = "stacklab.configuration"


def owner_id() -> str:
    """This checkout's id. Two processes that ask for the first time at once get the same one."""
    file = paths.work() / "owner"
    with contextlib.suppress(FileNotFoundError):
        return file.read_text().strip()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"owner.{os.getpid()}.{secrets.token_hex(4)}")
    draft.write_text(secrets.token_hex(8) + "\n")
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)  # appears whole or not at all, and never replaces one that is there
    draft.unlink()
    return file.read_text().strip()


def marks(stack: str, owner: str) -> dict[str, str]:
    """The labels on everything that a lab makes."""
    return {OWNER: owner, STACK: stack, CHECKOUT: str(paths.checkout())}
