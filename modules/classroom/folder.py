"""The folder of a class's cards: `classes/<class>.cards`, one folder a student in it, for the owner's eyes only.

    <id>/kubeconfig  id_ed25519  ssh_config  known_hosts  card.html      cards.html, cards.pdf (all of them)

Each file is written whole or not at all. cards.html is put together from the students' own, so it is never behind them;
cards.pdf is made from it on request, and goes when cards.html is made anew.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from modules.base.errors import StacklabError
from modules.classroom import card

ALL = "cards.html"
PDF = "cards.pdf"
CARD = "card.html"
KUBECONFIG = "kubeconfig"


def of(class_file: Path) -> Path:
    """Where the cards of a class are."""
    return class_file.with_name(f"{class_file.stem}.cards")


def student(class_file: Path, one: str) -> Path:
    """Where one student's files are."""
    return of(class_file) / one


def make(class_file: Path, one: str) -> Path:
    """The student's folder, made, and closed to everybody else before anything is in it."""
    inside = student(class_file, one)
    for each in (inside.parent, inside):
        try:
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
            each.chmod(0o700)
        except OSError as error:
            raise StacklabError(f"cannot be made: {error.strerror}", where=str(each)) from None
    return inside


def fill(inside: Path, files: Mapping[str, str]) -> None:
    """Write a student's files, in this order: the card comes last, when what it tells of is there."""
    for name, text in files.items():
        write(inside / name, text)


def write(path: Path, what: str | bytes) -> None:
    """Whole or not at all, and for the owner's eyes only from the first byte."""
    data = what.encode() if isinstance(what, str) else what
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
        draft.replace(path)
    except OSError as error:
        raise StacklabError(f"cannot be written: {error.strerror}", where=str(path)) from None
    finally:
        draft.unlink(missing_ok=True)


def holders(class_file: Path) -> list[str]:
    """Who has a folder, in order."""
    here = of(class_file)
    return sorted(each.name for each in here.iterdir() if each.is_dir()) if here.is_dir() else []


def bind(class_file: Path, title: str, order: Iterable[str]) -> Path | None:
    """cards.html anew, those in `order` first; without any card the folder goes, and there is none."""
    here = of(class_file)
    there = holders(class_file)
    wanted = [one for one in dict.fromkeys([*order, *there]) if one in there]
    found = [text for one in wanted if (text := _card(here / one / CARD))]
    target = here / ALL
    (here / PDF).unlink(missing_ok=True)
    if found:
        write(target, card.page(title, found))
        return target
    target.unlink(missing_ok=True)
    if here.is_dir() and not any(here.iterdir()):
        here.rmdir()
    return None


def remove(class_file: Path, one: str) -> None:
    """Everything a student was given; what is not there is fine."""
    inside = student(class_file, one)
    if inside.is_dir():
        # The credentials first: a removal that is cut short leaves a page, not a key.
        for name in (KUBECONFIG, "id_ed25519"):
            (inside / name).unlink(missing_ok=True)
        shutil.rmtree(inside)


def _card(path: Path) -> str:
    try:
        return card.inner(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
