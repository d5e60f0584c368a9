"""The door to one libvirt: opens a URI, starts our own daemon where that is what it takes, errors in our words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import libvirt

from modules.base.errors import HostError, OwnershipError, StacklabError
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt import daemon

# libvirt prints every error to standard error otherwise, also the expected ones.
libvirt.registerErrorHandler(lambda *_: None, None)

GONE = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_ERR_NO_STORAGE_VOL)


@contextlib.contextmanager
def connect(uri: str, *, start: bool = True) -> Iterator[Any]:
    """A connection that ends with the block. start: a daemon of our own may be started for it."""
    actual = daemon.resolve(uri, start=start)
    try:
        connection = libvirt.open(actual)
    except libvirt.libvirtError as error:
        raise HostError(
            f"libvirt does not answer: {error}",
            where=uri,
            command=f"virsh -c '{actual}' list --all",
            output=daemon.last_words(actual),
            hint=_advice(uri),
        ) from None
    try:
        yield connection
    finally:
        with contextlib.suppress(libvirt.libvirtError):
            connection.close()


@contextlib.contextmanager
def told(doing: str, *, where: str, command: str = "", hint: str = "") -> Iterator[None]:
    """An error of libvirt inside the block becomes one of ours."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise StacklabError(f"{doing}: {error}", where=where, command=command, hint=hint) from None


def lookup(find: Callable[[str], Any], name: str, gone: int) -> Any | None:
    """The object of that name; None when there is none. gone: the error code that says so."""
    try:
        return find(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() == gone:
            return None
        raise


@contextlib.contextmanager
def unless(*codes: int) -> Iterator[None]:
    """Goes on when libvirt says one of these: what was to be done is done already."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() not in codes:
            raise


def described(found: Any) -> str:
    """The XML of an object that another command may be removing right now: an empty element when it is gone."""
    try:
        return str(found.XMLDesc(0))
    except libvirt.libvirtError as error:
        if error.get_error_code() in GONE:
            return "<gone/>"
        raise


def refuse_stranger(found: Mark | None, owner: str, *, kind: str, name: str, virsh: str) -> None:
    """Raise OwnershipError for an object that was not made by this checkout."""
    if found and found.owner == owner:
        return
    maker = f"by the stacklab checkout {found.checkout or found.owner}" if found else "outside stacklab"
    raise OwnershipError(
        f"the {kind} {name} is there already and was made {maker}; it stays as it is",
        where="libvirt",
        command=virsh,
        hint="give this stack another name, or remove the other one where it was made",
    )


def _advice(uri: str) -> str:
    if uri.startswith("qemu+ssh:"):
        return "does `ssh` to that host work without a question, and does libvirtd run there?"
    if "///session" in uri:
        return "start it with: virsh -c qemu:///session list"
    return "stacklab doctor"
