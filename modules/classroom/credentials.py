"""Gives a student's account to a cluster, takes it back, and proves that: the only code of cards that asks an API.

A token is in what some of these calls print: such output goes into no error and no log.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modules.base import kubeconfig
from modules.base.errors import CommandError, StacklabError
from modules.base.probe import Answer, wait_for
from modules.base.shell import Result, hide
from modules.classroom.access import Account
from modules.manifests import Object, identity
from modules.verify.kubectl import Kubectl

MANAGER = "stacklab-cards"
GIVEN = 60.0
# API servers remember for some ten seconds that a token was good.
REFUSED = 90.0


def give(kubectl: Kubectl, account: Account, *, timeout: float = GIVEN) -> str:
    """The student's kubeconfig, from an account that is made, or made whole."""
    cluster = kubeconfig.read(kubectl.kubeconfig.read_text())
    account.check_owner(_there(kubectl, account.objects))
    how = ("--server-side", f"--field-manager={MANAGER}", "--force-conflicts")
    _run(kubectl, "apply", *how, "--filename=-", stdin=_list(account.objects), timeout=60)

    def look() -> Answer[str]:
        token = _token(kubectl, account)
        return Answer(token or None, f"{identity(account.token)} has no token yet")

    where = f"stack {account.stack}"
    hint = "is the cluster's controller manager well? kubectl get pods --namespace kube-system"
    token = wait_for("the student's token is there", look, timeout=timeout, where=where, hint=hint)
    return account.kubeconfig(cluster, token)


def living(kubectl: Kubectl, account: Account) -> str:
    """The kubeconfig of an account that is there; "" when it is not."""
    token = _token(kubectl, account)
    return account.kubeconfig(kubeconfig.read(kubectl.kubeconfig.read_text()), token) if token else ""


def take_back(kubectl: Kubectl, account: Account) -> None:
    """Delete the account with its token and its rights; one that is not there is fine."""
    account.check_owner(_there(kubectl, account.taken))
    how = ("--ignore-not-found", "--wait=true", "--timeout=30s")
    _run(kubectl, "delete", *how, "--filename=-", stdin=_list(account.taken), timeout=60)


def prove_refused(binary: Path, theirs: Path, *, where: str, timeout: float = REFUSED) -> None:
    """Ask the API as the student does, until it says that it knows nobody of that token; silence proves nothing."""
    kubectl = Kubectl(binary, theirs)

    def look() -> Answer[bool]:
        ran = _call(kubectl, "get", "--raw", "/api", "--request-timeout=5s")
        if ran.code == 0:
            return Answer(None, "the API still accepts the student's token")
        return Answer(True if "Unauthorized" in ran.stderr else None, ran.stderr)

    hint = "nothing was removed here: run the same command again"
    wait_for("the student's token is refused", look, timeout=timeout, every=0.5, where=where, hint=hint)


def _there(kubectl: Kubectl, objects: Sequence[Object]) -> list[Mapping[str, Any]]:
    ran = _run(kubectl, "get", "--ignore-not-found", "--output=json", "--filename=-", stdin=_list(objects))
    if not ran.stdout.strip():
        return []
    found: dict[str, Any] = json.loads(ran.stdout)
    return list(found["items"]) if found["kind"] == "List" else [found]


def _token(kubectl: Kubectl, account: Account) -> str:
    found = _there(kubectl, [account.token])
    data = (found[0].get("data") or {}) if found else {}
    return base64.b64decode(data.get("token", "")).decode()


def _list(objects: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _run(kubectl: Kubectl, *args: str, stdin: str | None = None, timeout: float = 30) -> Result:
    """A call that must succeed."""
    ran = _call(kubectl, *args, stdin=stdin, timeout=timeout)
    if ran.code != 0:
        what = f"kubectl {args[0]} failed with exit status {ran.code}"
        raise CommandError(what, code=ran.code, command=_shown(kubectl, args), output=ran.stderr)
    return ran


def _call(kubectl: Kubectl, *args: str, stdin: str | None = None, timeout: float = 30) -> Result:
    """One call; of what it prints only the errors are ever shown, and no token in them."""
    try:
        ran = kubectl(*args, stdin=stdin, timeout=timeout, check=False)
    except CommandError as error:
        # What it had printed so far may be a token.
        raise CommandError(error.what, code=error.code, command=_shown(kubectl, args), output="") from None
    return Result(ran.code, ran.stdout, hide(ran.stderr, _secrets(kubectl)), ran.seconds)


def _secrets(kubectl: Kubectl) -> list[str]:
    try:
        return [kubeconfig.client(kubectl.kubeconfig.read_text()).token]
    except (OSError, StacklabError):
        return []


def _shown(kubectl: Kubectl, args: Sequence[str]) -> str:
    return " ".join(["kubectl", "--kubeconfig", str(kubectl.kubeconfig), *args])
