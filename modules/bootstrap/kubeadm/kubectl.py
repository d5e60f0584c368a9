"""The API as a master sees it: kubectl there, over SSH, with the administrator's kubeconfig of that machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from modules.base.errors import CommandError, ProbeTimeoutError, StacklabError
from modules.base.probe import Answer, wait_for
from modules.base.shell import Result
from modules.bootstrap.kubeadm import nodes
from modules.machines import command
from modules.machines.remote import Remote

KUBECTL = "KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=20s"
HEALTHY = 30.0  # kubectl alone takes an emulated machine five seconds
PATIENCE = 90.0
TRANSIENT = (
    "was refused", "connection reset", "i/o timeout", "TLS handshake timeout", "unexpected EOF", ": EOF",
    "etcdserver: leader changed", "etcdserver: request timed out", "ServiceUnavailable", "currently unable to handle",
    'User "kubernetes-admin" cannot',  # an API server that has not read its own rules yet
    "Client.Timeout exceeded", "http2: client connection lost", "no route to host",
)  # fmt: skip


class Api:
    """The API by way of one master."""

    def __init__(self, master: Remote) -> None:
        self.master = master

    def kubectl(self, *words: str, timeout: float = 40, check: bool = True, stdin: str = "") -> Result:
        """Asked again for a while when nobody is at the door: a new kubelet starts its API server anew, for one."""
        script = f"{KUBECTL} {shlex.join(words)}"

        def look() -> Answer[Result]:
            done = self.master.run(script, timeout=timeout, check=False, stdin=stdin)
            return Answer(None if done.code != 0 and transient(done.stderr) else done, done.stderr)

        where = self.master.login.machine
        found = wait_for("the API answers", look, timeout=PATIENCE, every=1, where=where)
        if check and found.code != 0:
            raise CommandError(
                f"kubectl {words[0]} failed",
                code=found.code,
                command=command.paste(self.master.login, script),
                output=found.stdout + found.stderr,
                where=where,
            )
        return found

    def trouble(self) -> str:
        """What keeps this master's own API server from answering; empty when it does."""
        try:
            local = "--server=https://127.0.0.1:6443"
            done = self.master.run(f"{KUBECTL} get --raw=/readyz {local}", timeout=HEALTHY, check=False)
        except CommandError as error:
            return error.in_one_line()
        return "" if done.code == 0 else done.stderr.strip() or f"exit status {done.code}"

    def node(self, name: str) -> dict[str, Any] | None:
        """The node's object; None when the cluster has none of that name."""
        said = self.kubectl("get", "node", name, "--ignore-not-found", "-o", "json").stdout
        found: dict[str, Any] | None = json.loads(said) if said.strip() else None
        return found

    def versions(self) -> dict[str, str]:
        """Each node's kubelet version."""
        items = json.loads(self.kubectl("get", "nodes", "-o", "json").stdout)["items"]
        return {item["metadata"]["name"]: item["status"]["nodeInfo"]["kubeletVersion"].lstrip("v") for item in items}

    def patch_node(self, name: str, patch: dict[str, Any]) -> Result:
        words = ["patch", "node", name, "--type=merge", "--patch-file=/dev/stdin", "-o", "json"]
        return self.kubectl(*words, check=False, stdin=json.dumps(patch))

    def mark(self, wanted: nodes.Wanted, *, timeout: float = 120) -> dict[str, Any]:
        """Labels and taints as the stack file says; those of others stay. The node as it then is."""

        def look() -> Answer[dict[str, Any]]:
            found = self.node(wanted.name)
            if found is None:
                return Answer(None, "the API does not know this node yet")
            patch = nodes.patch(found, wanted)
            if patch is None:
                return Answer(found)
            done = self.patch_node(wanted.name, patch)
            # Somebody else changed the node in between: look again, and only then decide.
            if done.code != 0 and "Conflict" not in done.stderr and "modified" not in done.stderr:
                raise StacklabError(done.stderr.strip(), where=wanted.name)
            return Answer(json.loads(done.stdout) if done.code == 0 else None, done.stderr)

        hint = f"journalctl -u kubelet on {wanted.name}"
        return wait_for("the node has its labels and taints", look, timeout=timeout, where=wanted.name, hint=hint)

    def wait_for_version(self, name: str, version: str, *, ready: bool, timeout: float = 180) -> None:
        """Until the node's kubelet reports the version, and that it is ready where it was so before."""

        def look() -> Answer[bool]:
            found = self.node(name)
            if found is None:
                return Answer(None, "the API does not know this node")
            now = found["status"]["nodeInfo"]["kubeletVersion"].lstrip("v")
            beat = nodes.condition(found, "Ready")
            good = now == version and (beat == "True" or not ready)
            return Answer(True if good else None, f"kubelet {now}, Ready: {beat}")

        wait_for(
            f"the kubelet is {version}", look, timeout=timeout, where=name, hint=f"journalctl -u kubelet on {name}"
        )


def transient(said: str) -> bool:
    """Whether nobody was at the door, so that nothing was done. Pure."""
    return any(sign in said for sign in TRANSIENT)


def first_healthy(masters: Sequence[Remote]) -> Api | None:
    """The API by way of the first master that answers now and whose API server does; None when there is none."""
    try:
        return _wait_for_one(masters, besides="", timeout=0)
    except ProbeTimeoutError:
        return None


def need_healthy(masters: Sequence[Remote], *, besides: str = "", timeout: float = 180) -> Api:
    """The same, waited for; none is an error that says what each master's API server last said."""
    try:
        return _wait_for_one(masters, besides, timeout)
    except ProbeTimeoutError as error:
        asked = [m.login.machine for m in masters if m.login.machine != besides]
        raise StacklabError(
            f"no API server answers on {', '.join(asked) or 'any master'} after {timeout:g} s",
            where=asked[0] if asked else "",
            output=error.output,
            hint="crictl ps -a and journalctl -u kubelet there",
        ) from None


def _wait_for_one(masters: Sequence[Remote], besides: str, timeout: float) -> Api:
    def look() -> Answer[Api]:
        seen = []
        for api in (Api(one) for one in masters if one.login.machine != besides):
            trouble = api.trouble()
            if not trouble:
                return Answer(api)
            seen.append(f"{api.master.login.machine}: {trouble}")
        return Answer(None, "\n".join(seen))

    return wait_for("an API server answers", look, timeout=timeout, every=1)
