"""The SSH keys of a lab: its own, and one for each machine before it is made. Files under .stacklab/labs/<stack>/ssh.

The private ones are kept in the state as secrets, so that another checkout, or this one after a clean, gets them back.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.machines import keys
from modules.resources.base import Change, Props, Provider, diff_result, text
from modules.topology.plan import LabPlan

INPUTS = ("stack", "machines")


class SshKeysProvider(Provider):
    """Outputs: the inputs, public_key, host_keys (name -> public key), private (secret: file -> text)."""

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"SSH keys of {text(olds, 'stack')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"lab/{text(props, 'stack')}/ssh", _make(props))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        keys.restore(text(news, "stack"), olds.get("private") or {})
        return UpdateResult(_make(news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The files are put back: nothing else of the lab can be asked without them."""
        keys.restore(text(props, "stack"), props.get("private") or {})
        return ReadResult(id_, _make(props), {key: props.get(key) for key in INPUTS})

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        keys.remove(text(props, "stack"))


def changes(olds: Props, news: Props) -> list[Change]:
    """Machines that came, went or moved; and files that are not there any more."""
    was, now = _machines(olds), _machines(news)
    found = [Change("machines", f"{name} goes", replace=False) for name in was if name not in now]
    found += [Change("machines", f"{name} is new", replace=False) for name in now if name not in was]
    found += [
        Change("machines", f"address of {name} {was[name]} -> {now[name]}", replace=False)
        for name in now
        if name in was and was[name] != now[name]
    ]
    if text(olds, "stack") != text(news, "stack"):
        found.append(Change("stack", f"stack {text(olds, 'stack')} -> {text(news, 'stack')}", replace=True))
    files = keys.of(text(olds, "stack"))
    if not files.key.exists() or not files.known_hosts.exists():
        found.append(Change("machines", f"files in {files.folder} are missing", replace=False))
    return found


def _machines(props: Props) -> dict[str, str]:
    return {str(one["name"]): str(one["address"]) for one in props.get("machines") or ()}


def _make(props: Props) -> dict[str, Any]:
    machines = _machines(props)
    files = keys.make(text(props, "stack"), list(machines.items()))
    return {
        **{key: props.get(key) for key in INPUTS},
        "public_key": keys.public(files.key),
        "host_keys": {name: keys.public(files.host_key(name)) for name in machines},
        "private": keys.contents(files, list(machines)),
    }


class SshKeys(Resource, module="stacklab", name="SshKeys"):
    """The keys of a lab whose machines do not exist yet."""

    public_key: pulumi.Output[str]
    host_keys: pulumi.Output[dict[str, str]]
    private: pulumi.Output[dict[str, str]]

    def __init__(self, resource_name: str, plan: LabPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "machines": [{"name": m.name, "address": m.address} for m in plan.machines],
            **dict.fromkeys(("public_key", "host_keys", "private")),
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private"])
        super().__init__(SshKeysProvider(), resource_name, props, pulumi.ResourceOptions.merge(secret, opts))
