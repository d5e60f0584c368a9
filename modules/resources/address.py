"""The address that a Service of type LoadBalancer got: waits until there is one. Makes and removes nothing.

The Kubernetes provider's own wait for such a Service goes on for ten seconds after its last endpoint changed.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules import artifacts
from modules.base.errors import CommandError, StacklabError
from modules.base.shell import Result, run
from modules.resources.base import Props, Provider, compare, diff_result, text

# `uid` is the Service's own: one that was made anew has another, and maybe another address.
REPLACE_ON = {"cluster": "cluster", "namespace": "namespace", "service": "service", "uid": "service's uid"}
INPUTS = (*REPLACE_ON, "kubeconfig_file")
PATH = "{.status.loadBalancer.ingress[0].ip}"
PATIENCE = 300


class AddressProvider(Provider):
    """Outputs: the inputs and the address."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"address of {text(olds, 'service')}", compare(olds, news, REPLACE_ON))

    def create(self, props: dict[str, Any]) -> CreateResult:
        service = f"service/{text(props, 'service')}"
        asked = ["wait", f"--for=jsonpath={PATH}", f"--timeout={PATIENCE}s", service, "-o", f"jsonpath={PATH}"]
        found = _kubectl(props, *asked, timeout=PATIENCE + 30)
        address = found.stdout.strip()
        if not address:
            raise StacklabError(
                f"{service} has no address", hint="the lab needs an addon that gives addresses: metallb"
            )
        return CreateResult(_id(props), _outs(props, address))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What Kubernetes says now; a cluster that does not answer has not changed the address."""
        try:
            asked = ["get", f"service/{text(props, 'service')}", "--ignore-not-found", "-o", f"jsonpath={PATH}"]
            address = _kubectl(props, *asked, timeout=20).stdout.strip()
        except CommandError:
            address = text(props, "address")
        if not address:
            return ReadResult("", {})
        return ReadResult(id_, _outs(props, address), {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_outs(news, text(olds, "address")))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Nothing was made."""


def _kubectl(props: Props, *args: str, timeout: float) -> Result:
    argv = [
        artifacts.binary("kubectl"),
        f"--kubeconfig={text(props, 'kubeconfig_file')}",
        f"--namespace={text(props, 'namespace')}",
        *args,
    ]
    where = f"service {text(props, 'namespace')}/{text(props, 'service')}"
    return run(argv, timeout=timeout, where=where, hint="does the range network.loadbalancers have free addresses?")


def _id(props: Props) -> str:
    return f"lab/{text(props, 'cluster')}/address/{text(props, 'namespace')}/{text(props, 'service')}"


def _outs(props: Props, address: str) -> dict[str, Any]:
    return {**{key: props.get(key) for key in INPUTS}, "address": address}


class Address(Resource, module="stacklab", name="Address"):
    """The address of one Service."""

    address: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        cluster: pulumi.Input[str],
        kubeconfig_file: pulumi.Input[str],
        namespace: pulumi.Input[str],
        service: pulumi.Input[str],
        uid: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "cluster": cluster,
            "kubeconfig_file": kubeconfig_file,
            "namespace": namespace,
            "service": service,
            "uid": uid,
            "address": None,
        }
        super().__init__(AddressProvider(), resource_name, props, opts)
