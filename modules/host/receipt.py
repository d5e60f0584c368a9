"""What did a lab leave on the host? A fingerprint before `up`, a comparison after `destroy`.

    save(stack)     at the start of `up`; kept while the lab exists, so a second `up` does not hide what the first made
    compare(stack)  after `destroy`: what is there now, was not before, and is nobody else's

What engines make for themselves at first use, images (artifacts) and things of other labs are told apart, not counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.base import paths, probe
from modules.base.errors import HostError, ProbeTimeoutError
from modules.host import engine as engines
from modules.host import snapshot
from modules.host.ownership import Owner, owners
from modules.host.traces import Item, Snapshot

Fingerprint = Mapping[str, frozenset[str]]
_ORDER = (
    *("process", "container", "domain", "network", "libvirt network", "volume"),
    *("libvirt volume", "libvirt pool", "libvirt daemon", "libvirt files"),
)  # the order to remove them in
SETTLE = 15.0  # what other labs do meanwhile, and what the engine finishes in the background, is over by then


@dataclass(frozen=True)
class Leftover:
    """One thing on the host, and the command that removes it."""

    kind: str
    name: str
    command: str


@dataclass(frozen=True)
class Receipt:
    """The whole comparison. Clean when there are no leftovers."""

    stack: str
    fingerprint: bool  # without one only what carries the lab's mark can be told
    leftovers: tuple[Leftover, ...]
    residue: tuple[Leftover, ...]  # made by the container engine for all its containers
    images: tuple[Leftover, ...]
    others: tuple[Leftover, ...]  # new, but other labs' or strangers'
    unread: tuple[str, ...]


def save(stack: str) -> Path:
    """Keep the fingerprint of the host before the lab; one that is there stays as long as the lab has files."""
    target = _place(stack)
    if target.exists() and paths.lab(stack).exists():
        return target
    before = fingerprint(_look(), stack)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(json.dumps({kind: sorted(names) for kind, names in sorted(before.items())}, indent=1))
    part.replace(target)
    return target


def compare(stack: str) -> list[Leftover]:
    """What the lab left; empty is what `destroy` promises."""
    return list(receipt(stack).leftovers)


def receipt(stack: str, *, settle: float = SETTLE) -> Receipt:
    """The comparison with all that is told apart. Looks again until nothing is left or `settle` seconds are over."""
    before = _saved(stack)
    last: list[Receipt] = []

    def look() -> probe.Answer[Receipt]:
        last.append(judge(before, _look(), stack))
        words = ", ".join(f"{one.kind} {one.name}" for one in last[-1].leftovers)
        return probe.Answer(None if last[-1].leftovers else last[-1], words)

    try:
        return probe.wait_for(f"nothing left of {stack}", look, timeout=settle, every=1)
    except ProbeTimeoutError:
        return last[-1]


def fingerprint(now: Snapshot, stack: str) -> Fingerprint:
    """The names of everything that does not carry the lab's mark, by kind.

    What is only named like the lab was there before it, or is a stranger's: not to be blamed on it.
    """
    whose = owners(now, stack, now.items)
    found: dict[str, set[str]] = {}
    for item in now.items:
        if item.owner != stack and whose[item] is not Owner.PART:
            found.setdefault(item.kind, set()).add(item.name)
    return {kind: frozenset(names) for kind, names in found.items()}


def judge(before: Fingerprint | None, now: Snapshot, stack: str) -> Receipt:
    """Pure: sort what is new by who answers for it."""
    fresh = [i for i in now.items if before is None or i.name not in before.get(i.kind, frozenset())]
    whose = owners(now, stack, fresh)
    counted = {Owner.LAB} if before is None else {Owner.LAB, Owner.UNKNOWN}

    def of(*wanted: Owner) -> tuple[Leftover, ...]:
        return _named(_outermost(item for item in fresh if whose[item] in wanted))

    return Receipt(
        stack=stack,
        fingerprint=before is not None,
        leftovers=of(*counted),
        residue=of(Owner.ENGINE) if before is not None else (),
        images=of(Owner.IMAGE) if before is not None else (),
        others=of(Owner.OTHER, Owner.STRANGER) if before is not None else (),
        unread=now.unread,
    )


def _named(items: Iterable[Item]) -> tuple[Leftover, ...]:
    found = [Leftover(i.kind, i.name, i.remove) for i in items]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.kind) if one.kind in _ORDER else len(_ORDER)))


def _outermost(items: Iterable[Item]) -> Iterable[Item]:
    """Of nested cgroups only the outermost: its command removes the others."""
    roots: list[str] = []
    for item in items:
        if item.kind == "cgroup":
            if any(item.name.startswith(f"{root}/") for root in roots):
                continue
            roots.append(item.name)
        yield item


def _look() -> Snapshot:
    try:
        return snapshot.take(engines.choose())
    except HostError:
        return snapshot.take(None)


def _saved(stack: str) -> Fingerprint | None:
    try:
        known = json.loads(_place(stack).read_text())
    except FileNotFoundError:
        return None
    return {kind: frozenset(names) for kind, names in known.items()}


def _place(stack: str) -> Path:
    # Not in the lab's folder: that is gone after `destroy`, and must be.
    return paths.work() / "fingerprints" / f"{stack}.json"
