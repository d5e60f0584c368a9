"""What a student changed: the declared lab against what is live, object by object. Pure.

declared.py reads what should be there, drift_look.py asks what is; compare.py and noise.py know the details, and
drift_words.py and drift_page.py tell it. What the lab declares is the lab's, all else the student's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from modules.classroom import compare, noise
from modules.classroom.compare import Change
from modules.classroom.declared import Declared
from modules.manifests import Id, Object, identity

What = Literal["added", "edited", "removed", "machine"]
Owner = Literal["lab", "student"]
_ORDER = ("machine", "removed", "edited", "added")


@dataclass(frozen=True)
class Finding:
    """One object that is not as the lab declares it. machine: a machine of the lab that is no Ready node."""

    what: What
    owner: Owner
    kind: str
    namespace: str
    name: str
    detail: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Live:
    """What a cluster answered; `unseen` are kinds (group, kind) that it could not list, so nothing is said of them."""

    objects: Sequence[Object]
    unseen: Collection[tuple[str, str]] = ()


@dataclass(frozen=True)
class Drift:
    """One student: what was found, or why nobody could look. `notes`: what was left out."""

    id: str
    stack: str
    findings: tuple[Finding, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        found = [
            {**asdict(one), "changes": [{k: v for k, v in asdict(c).items() if k != "own"} for c in one.changes]}
            for one in self.findings
        ]
        return {
            "id": self.id,
            "stack": self.stack,
            "ok": not self.error and not self.findings,
            "error": self.error,
            "notes": list(self.notes),
            "findings": found,
        }


def findings(declared: Declared, live: Live) -> list[Finding]:
    """Everything that is not as declared, the lab's own first."""
    there = {identity(obj): obj for obj in live.objects}
    found = [
        *(_machines(declared, there) if ("", "Node") not in live.unseen else ()),
        *(one for this, obj in declared.objects.items() for one in _declared(this, obj, there.get(this), live)),
        *(
            _added(this, obj)
            for this, obj in there.items()
            if this not in declared.objects and students(obj, declared.since)
        ),
    ]
    return sorted(found, key=lambda one: (one.owner, _ORDER.index(one.what), one.kind, one.namespace, one.name))


def students(obj: Object, since: str) -> bool:
    """Whether an object that the lab does not declare is the student's work."""
    if noise.why(obj) or noise.by_controllers(obj):
        return False
    # What is older than the lab's first object came with the machines: nobody had a kubeconfig before.
    made = _time(obj["metadata"].get("creationTimestamp"))
    begun = _time(since)
    return made is None or begun is None or made >= begun


def _declared(this: Id, wanted: Object, there: Object | None, live: Live) -> Iterable[Finding]:
    if (this.group, this.kind) in live.unseen:
        return
    if there is None:
        yield Finding("removed", "lab", this.kind, this.namespace, this.name)
        return
    every = compare.changes(wanted, there)
    lab = tuple(one for one in every if not one.own)
    # What the lab does not declare is the student's, inside one of the lab's objects too: a repair leaves it.
    own = tuple(one for one in every if one.own)
    if lab:
        yield Finding("edited", "lab", this.kind, this.namespace, this.name, "", lab)
    if own:
        yield Finding("added", "student", this.kind, this.namespace, this.name, "in the lab's object", own)


def _added(this: Id, obj: Object) -> Finding:
    by = ", ".join(noise.managers(obj))
    return Finding("added", "student", this.kind, this.namespace, this.name, f"by {by}" if by else "")


def _machines(declared: Declared, there: Mapping[Id, Object]) -> Iterable[Finding]:
    for name in declared.machines:
        node = there.get(Id("", "Node", "", name))
        said = "it is no node of the cluster" if node is None else _not_ready(node)
        if said:
            yield Finding("machine", "lab", "Node", "", name, said)


def _not_ready(node: Object) -> str:
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready: Mapping[str, Any] = next((one for one in conditions if one.get("type") == "Ready"), {})
    if ready.get("status") == "True":
        return ""
    said = str(ready.get("message") or ready.get("reason") or "")
    return f"it is not Ready: {said}" if said else "it is not Ready"


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
