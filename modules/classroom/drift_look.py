"""Asks what drift.py compares: Pulumi for what a student's stack declares, kubectl for what is live.

Nothing is decrypted, nothing is changed, and what kubectl printed of Secrets is in no error and no log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules import artifacts, pulumi_home
from modules.base import paths, shell
from modules.base.errors import CommandError, StacklabError
from modules.classroom import declared, drift, noise
from modules.classroom.declared import Declared
from modules.classroom.drift import Drift, Live
from modules.manifests import Id, Object
from modules.verify.kubectl import Kubectl

SIDE_BY_SIDE = 8
PATIENCE = 60.0


@dataclass(frozen=True)
class Kind:
    """A kind that the API server lists; `name` is plural.group, as kubectl wants it."""

    name: str
    group: str
    kind: str
    namespaced: bool


@dataclass(frozen=True)
class Where:
    """One student's stack, the kubeconfig that reaches its objects, and for a share of a lab the namespace."""

    id: str
    stack: str
    kubeconfig: Path
    namespace: str = ""


def where(student: str, stack: str, shared: str) -> Where:
    """`shared` is the stack of the lab that all share; "" with a lab each."""
    return Where(student, stack, paths.lab(shared or stack) / "kubeconfig", stack if shared else "")


def everybody(students: Sequence[Where]) -> list[Drift]:
    """All of them, some at a time: each costs a `pulumi` and two `kubectl`."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(look, students))


def look(one: Where) -> Drift:
    """One student; what cannot be reached is told, not raised: the others are looked at all the same."""
    try:
        wanted = declared.read(exported(one.stack))
        if not wanted.made:
            raise StacklabError("no lab of this name is up")
        if not one.kubeconfig.exists():
            raise StacklabError("the lab has no kubeconfig here")
        kubectl = Kubectl(artifacts.binary("kubectl"), one.kubeconfig)
        live = inside(kubectl, wanted, one.namespace) if one.namespace else whole(kubectl)
    except StacklabError as error:
        return Drift(one.id, one.stack, error=error.in_one_line())
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        return Drift(one.id, one.stack, error=f"an answer that cannot be read: {type(error).__name__}")
    notes = tuple(f"{kind} could not be listed" for _, kind in sorted(live.unseen))
    return Drift(one.id, one.stack, tuple(drift.findings(wanted, live)), notes=notes)


def exported(stack: str) -> Mapping[str, Any]:
    """The state of a stack, with its secrets encrypted."""
    words: list[str | Path] = [pulumi_home.pulumi_binary(), "stack", "export", "--stack", stack, "--non-interactive"]
    ran = shell.run(words, timeout=PATIENCE, cwd=paths.checkout(), check=False)
    if ran.code != 0:
        if "no stack named" in ran.stderr:
            raise StacklabError("no lab of this name is up")
        raise StacklabError(
            "pulumi stack export failed", output=shell.hide(ran.stderr, pulumi_home.backend_passwords())
        )
    found: Mapping[str, Any] = json.loads(ran.stdout)
    return found


def whole(kubectl: Kubectl) -> Live:
    """Everything in a cluster."""
    return _listed(kubectl, kinds(kubectl), ["--all-namespaces"])


def inside(kubectl: Kubectl, wanted: Declared, namespace: str) -> Live:
    """What is in one namespace, and what the stack declares beside it; nothing of anybody else."""
    known = kinds(kubectl)
    within = _listed(kubectl, [kind for kind in known if kind.namespaced], ["--namespace", namespace])
    beside = _named(kubectl, known, [this for this in wanted.objects if not this.namespace])
    return Live([*within.objects, *beside], within.unseen)


def kinds(kubectl: Kubectl) -> list[Kind]:
    """What can be listed and is worth it. An API of the student's that does not answer is left out by kubectl."""
    asked = ("api-resources", "--verbs=list", "--no-headers", "--request-timeout=20s")
    ran = kubectl(*asked, timeout=PATIENCE, check=False)
    found = parse_kinds(ran.stdout)
    if not found:
        raise StacklabError("the lab does not answer", output=ran.stderr)
    return [kind for kind in found if kind.name not in noise.UNASKED]


def parse_kinds(table: str) -> list[Kind]:
    """Lines of name, short names (or none), version, whether namespaced, kind."""
    found = []
    for line in table.splitlines():
        words = line.split()
        if len(words) >= 4 and words[-2] in ("true", "false"):
            group = words[-3].rpartition("/")[0]
            name = f"{words[0]}.{group}" if group else words[0]
            found.append(Kind(name, group, words[-1], words[-2] == "true"))
    return found


def _listed(kubectl: Kubectl, wanted: Sequence[Kind], scope: Sequence[str]) -> Live:
    try:
        return Live(_get(kubectl, ",".join(kind.name for kind in wanted), *scope))
    except StacklabError:
        if len(wanted) < 2:
            raise
    # One kind that cannot be listed (a webhook of the student's that is gone) must not hide the others.
    objects: list[Object] = []
    unseen: list[tuple[str, str]] = []
    last: StacklabError | None = None
    for kind in wanted:
        try:
            objects += _get(kubectl, kind.name, *scope)
        except StacklabError as error:
            last = error
            unseen.append((kind.group, kind.kind))
            if not objects and len(unseen) == 3:
                break  # it is not the kind
    if last is not None and not objects:
        raise last
    return Live(objects, frozenset(unseen))


def _named(kubectl: Kubectl, known: Sequence[Kind], wanted: Sequence[Id]) -> list[Object]:
    names = {(kind.group, kind.kind): kind.name for kind in known}
    asked = [f"{names[(this.group, this.kind)]}/{this.name}" for this in wanted if (this.group, this.kind) in names]
    return _get(kubectl, *asked, "--ignore-not-found") if asked else []


def _get(kubectl: Kubectl, *words: str) -> list[Object]:
    """Objects as data; the error holds what kubectl complained of, and nothing of what it printed."""
    asked = ("get", *words, "--output=json", "--show-managed-fields", "--request-timeout=40s")
    try:
        ran = kubectl(*asked, timeout=PATIENCE, check=False)
    except CommandError as error:
        raise StacklabError(error.what) from None
    if ran.code != 0:
        raise StacklabError("the lab does not answer", output=ran.stderr)
    if not ran.stdout.strip():
        return []
    data = json.loads(ran.stdout)
    objects: list[Object] = data["items"] if data.get("kind") == "List" else [data]
    return [one for one in objects if one.get("metadata", {}).get("name")]
