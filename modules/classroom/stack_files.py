"""Students' stack files: written from the class file, owned by their class, and hidden from Git.

An ignore file in stacks/ that lists exactly these files, and itself first (docs/decisions/class-stack-files.md).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from modules.base.errors import OwnershipError

OWNER = "stacklab:student"
SALT = "encryptionsalt"
HEAD = (
    "# Written by `stacklab class up {name}` from classes/{name}.yaml, and written anew each time: change that file.\n"
)
IGNORE_HEAD = "# Written by `stacklab class`: students' stack files, which are made from class files. Not committed.\n"


def file_of(folder: Path, stack: str) -> Path:
    """Where a stack's file is."""
    return folder / f"Pulumi.{stack}.yaml"


def write(folder: Path, stack: str, class_name: str, student: str, config: Mapping[str, Any], salt: str = "") -> None:
    """Write a student's stack file; what Pulumi keeps there stays. A file of somebody else's is an error.

    salt: that of the key for secrets, for a file that has none yet.
    """
    path = file_of(folder, stack)
    data = _owned(path, class_name) or ({SALT: salt} if salt else {})
    fresh = {
        **{key: value for key, value in data.items() if key != "config"},
        "config": owned(class_name, student, config),
    }
    text = HEAD.format(name=class_name) + yaml.safe_dump(fresh, sort_keys=False)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        _replace(path, text)


def salt(folder: Path, stack: str) -> str:
    """What a stack's key is made from beside the passphrase; "" before its first update, or with keys of a service.

    A stack that reads another's secrets makes that one's key too; with the same salt it is the same key, and makes it
    once. Making it takes a fifth of a second by design.
    """
    path = file_of(folder, stack)
    data = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    return str(data.get(SALT) or "") if isinstance(data, Mapping) else ""


def owned(class_name: str, student: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A student's configuration with whose it is."""
    return {OWNER: {"class": class_name, "id": student}, **config}


def remove(folder: Path, stack: str, class_name: str) -> None:
    """Take a student's stack file away; one that is not there is fine."""
    path = file_of(folder, stack)
    if path.exists():
        if not _pulumis_own(path):
            _owned(path, class_name)
        path.unlink()


def hide(folder: Path, add: Collection[str], take_out: Collection[str] = ()) -> None:
    """Keep Git from seeing these stacks' files; without any left the ignore file goes too."""
    path = folder / ".gitignore"
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    ours = {f"/Pulumi.{stack}.yaml" for stack in add}
    gone = {f"/Pulumi.{stack}.yaml" for stack in take_out}
    first = [IGNORE_HEAD.rstrip(), "/.gitignore"]
    foreign = path.exists() and before[:2] != first
    listed = (set(before) | ours) - gone if not foreign else ours - gone
    if foreign:  # somebody's own ignore file: theirs stays as it is, ours are added below
        text = [line for line in before if line not in gone] + sorted(listed - set(before))
    else:
        names = sorted(line for line in listed if line.startswith("/Pulumi."))
        text = [*first, *names] if names else []
    if text:
        _replace(path, "\n".join(text) + "\n")
    elif path.exists():
        path.unlink()


def _pulumis_own(path: Path) -> bool:
    """Whether Pulumi wrote it, for a stack whose file only another teacher has: a salt and nothing else."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return isinstance(data, Mapping) and set(data) == {SALT}


def _owned(path: Path, class_name: str) -> dict[str, Any]:
    """The file's data, {} when there is none; OwnershipError when it is not of this class."""
    if not path.exists():
        return {}
    data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    config = data.get("config") if isinstance(data, Mapping) else None
    owner = config.get(OWNER) if isinstance(config, Mapping) else None
    if not isinstance(owner, Mapping) or owner.get("class") != class_name:
        whose = (
            f"of the class {owner['class']}" if isinstance(owner, Mapping) and "class" in owner else "not of a class"
        )
        raise OwnershipError(
            f"this stack file is there already, and it is {whose}",
            where=str(path),
            hint="give the class file another name, or the stack",
        )
    return dict(data)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
