"""Waits until objects that were told to a cluster are ready, and learns the addresses that services got. Makes nothing.

Pulumi works on few resources at a time (four for each core), and the Kubernetes provider's own waits count: objects
that wait could keep the very object from being told that they wait for. So all is told before anything is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules import artifacts
from modules.base.errors import CommandError, StacklabError
from modules.base.shell import run
from modules.manifests.waiting import ADDRESS, ADDRESS_PATH, ROLLOUT
from modules.resources.base import Change, Props, Provider, diff_result, known, text

INPUTS = ("name", "cluster", "kubeconfig_file", "conditions", "seen", "joined")
PATIENCE = 300
DNS = {
    "what": "deployment/coredns",
    "namespace": "kube-system",
    "until": ROLLOUT,
    "impatient": "k8s-app=kube-dns",
}
"""impatient: pods with these labels are made before they have a network; kubelet tries again only ten seconds later."""


class ReadyProvider(Provider):
    """Outputs: the inputs, and the address of each service that waits for one, by namespace/name."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"readiness of {text(olds, 'name')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(
            f"lab/{text(props, 'cluster')}/ready/{text(props, 'name')}", _wait(props, newcomers({}, props))
        )

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """What is as it was is not waited for again: another node may be down, and that is no news."""
        same = olds.get("cluster") == news.get("cluster")
        came = newcomers(olds if same else {}, news)
        if waits_for_objects(olds, news):
            return UpdateResult(_wait(news, came))
        _wait_for_nodes(news, came)
        return UpdateResult(_outs(news, olds.get("addresses") or {}))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The addresses as they are now; one that is gone has to be waited for again."""
        try:
            found = {key: _address_now(props, one) for key, one in _services(props).items()}
        except CommandError:  # a cluster that does not answer has not changed an address
            found = dict(props.get("addresses") or {})
        if not all(found.values()):
            return ReadResult("", {})
        return ReadResult(id_, _outs(props, found), {key: props.get(key) for key in INPUTS})

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Nothing was made."""


def changes(olds: Props, news: Props) -> list[Change]:
    """A new cluster is waited for anew; changed objects of the same one are looked at again."""
    found = []
    if olds.get("cluster") != news.get("cluster"):
        found.append(Change("cluster", "the cluster is another one", replace=False))
    if olds.get("conditions") != news.get("conditions"):
        found.append(Change("conditions", "what makes it ready has changed", replace=False))
    if olds.get("seen") != news.get("seen"):
        found.append(Change("seen", "its objects change", replace=False))
    came, gone = newcomers(olds, news), (olds.get("joined") or {}).keys() - (news.get("joined") or {}).keys()
    if came or gone:
        words = [f"+{name}" for name in came] + [f"-{name}" for name in sorted(gone)]
        found.append(Change("joined", f"nodes: {' '.join(words)}", replace=False))
    return found


def waits_for_objects(olds: Props, news: Props) -> bool:
    """Whether more has changed than the nodes. Pure."""
    return any(change.field != "joined" for change in changes(olds, news))


def newcomers(olds: Props, news: Props) -> list[str]:
    """Nodes that were not there before, or whose machine is another one. Pure.

    In a preview any change of machines makes their generations unknown: that says nothing of those that are there.
    """
    before, now = olds.get("joined") or {}, news.get("joined") or {}
    return sorted(
        name for name, machine in now.items() if name not in before or (known(machine) and before[name] != machine)
    )


def command(condition: Props, patience: int) -> list[str]:
    """The kubectl words that end when the condition holds. Pure."""
    what, until = text(condition, "what"), text(condition, "until")
    if until == ROLLOUT:
        return ["rollout", "status", what, f"--timeout={patience}s"]
    if until == ADDRESS:
        return ["wait", f"--for=jsonpath={ADDRESS_PATH}", what, f"--timeout={patience}s", "-o", _as_path()]
    return ["wait", f"--for={until}", what, f"--timeout={patience}s"]


def anew(labels: str) -> list[str]:
    """The kubectl words that have pods which do not run yet made again, and tried at once. Pure."""
    return ["delete", "pods", f"--selector={labels}", "--field-selector=status.phase=Pending", "--wait=false"]


def _wait(props: Props, nodes: Sequence[str]) -> dict[str, Any]:
    addresses: dict[str, str] = {}
    for condition in _conditions(props):
        try:
            if labels := text(condition, "impatient"):
                _kubectl(props, condition, anew(labels), timeout=60)
            said = _kubectl(props, condition, command(condition, PATIENCE), timeout=PATIENCE + 30)
        except CommandError as error:
            raise _failed(props, condition, error) from None
        if text(condition, "until") == ADDRESS:
            addresses[_key(condition)] = said.strip()
    _wait_for_nodes(props, nodes)
    return _outs(props, addresses)


def _wait_for_nodes(props: Props, names: Sequence[str]) -> None:
    """Nodes are ready once the pods' network runs on them."""
    for name in names:
        condition = {"what": f"node/{name}", "until": "condition=Ready"}
        try:
            _kubectl(props, condition, command(condition, PATIENCE), timeout=PATIENCE + 30)
        except CommandError as error:
            raise _failed(props, condition, error) from None


def _failed(props: Props, condition: Props, error: CommandError) -> StacklabError:
    """The error with what Kubernetes says of the namespace: which pods, and its last warnings."""
    said = [error.output]
    for words in (
        ["get", "pods", "--no-headers", "-o", "wide"],
        ["get", "events", "--field-selector=type=Warning", "--sort-by=.lastTimestamp", "--no-headers"],
    ):
        try:
            said.append("\n".join(_kubectl(props, condition, words, timeout=20).strip().splitlines()[-6:]))
        except CommandError as second:
            said.append(second.what)
    hint = "run the same command again once the reason is gone"
    if text(condition, "until") == ADDRESS:
        hint = "does the range network.loadbalancers of the stack file have free addresses?"
    return StacklabError(
        f"{text(condition, 'what')} is not ready after {PATIENCE} s",
        where=f"namespace {text(condition, 'namespace')}" if text(condition, "namespace") else "cluster",
        command=error.command,
        output="\n".join(said),
        hint=hint,
    )


def _kubectl(props: Props, condition: Props, words: Sequence[str], *, timeout: float) -> str:
    argv: list[str | Path] = [artifacts.binary("kubectl"), f"--kubeconfig={text(props, 'kubeconfig_file')}"]
    if namespace := text(condition, "namespace"):
        argv.append(f"--namespace={namespace}")
    return run([*argv, *words], timeout=timeout).stdout


def _address_now(props: Props, condition: Props) -> str:
    words = ["get", text(condition, "what"), "--ignore-not-found", "-o", _as_path()]
    return _kubectl(props, condition, words, timeout=20).strip()


def _as_path() -> str:
    return f"jsonpath={ADDRESS_PATH}"


def _conditions(props: Props) -> list[Props]:
    found: list[Props] = list(props.get("conditions") or [])
    return found


def _services(props: Props) -> Mapping[str, Props]:
    return {_key(one): one for one in _conditions(props) if text(one, "until") == ADDRESS}


def _key(condition: Props) -> str:
    return f"{text(condition, 'namespace')}/{text(condition, 'what').partition('/')[2]}"


def _outs(props: Props, addresses: Mapping[str, str]) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "addresses": dict(addresses)}


class Ready(Resource, module="stacklab", name="Ready"):
    """One addon or app whose objects have been told to the cluster. `seen` changes whenever an object does.

    `joined` are nodes that are waited for besides, each with its machine's generation: those of the pods' network.
    """

    addresses: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        resource_name: str,
        *,
        cluster: pulumi.Input[str],
        kubeconfig_file: pulumi.Input[str],
        conditions: Sequence[Mapping[str, str]],
        seen: pulumi.Input[Sequence[str]],
        joined: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "name": resource_name,
            "cluster": cluster,
            "kubeconfig_file": kubeconfig_file,
            "conditions": [dict(c) for c in conditions],
            "seen": seen,
            "joined": dict(joined or {}),
            "addresses": None,
        }
        super().__init__(ReadyProvider(), resource_name, props, opts)
