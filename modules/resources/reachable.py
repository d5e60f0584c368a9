"""A machine that can be used: SSH answers with the host key we know, and cloud-init has done its work.

An address alone says nothing; an error carries what libvirt knows: state, DHCP leases, the end of the console.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules.base import probe
from modules.base.errors import ProbeTimeoutError, StacklabError
from modules.machines.libvirt import evidence
from modules.machines.libvirt.connection import connect
from modules.machines.login import Login
from modules.machines.remote import Remote
from modules.resources.base import Change, Props, Provider, compare, diff_result, known, number, text
from modules.topology.plan import LabPlan, Machine

PATIENCE = {"kvm": 240.0, "tcg": 900.0}  # emulated machines that boot at once share the host's processors
REPLACE_ON = {"machine": "machine", "address": "address", "generation": "machine's contents"}
UPDATE_ON = {"started": "it was started anew", "disk_size": "its disk is larger"}
LOGIN = ("key", "known_hosts", "user", "port", "jump")
INPUTS = ("stack", *REPLACE_ON, *UPDATE_ON, *LOGIN, "uri", "domain", "network", "console", "acceleration")
# What cloud-init leaves under /run is of this boot. Without cloud-init there is nothing to wait for.
_LOOK = """
if [ -e /run/cloud-init/result.json ]; then cat /run/cloud-init/result.json
elif [ -e /run/cloud-init/disabled ] || ! command -v cloud-init >/dev/null; then echo '{"v1": {"errors": []}}'
else echo 'cloud-init is at work'; exit 3
fi
"""
# The file system follows the disk; on a disk without partitions, on a last partition, whatever file system it is.
_GROW = """
root=$(findmnt -no SOURCE /); type=$(findmnt -no FSTYPE /)
name=$(basename "$root")
if [ -e "/sys/class/block/$name/partition" ] && command -v growpart >/dev/null; then
    disk=/dev/$(basename "$(dirname "$(readlink -f "/sys/class/block/$name")")")
    growpart "$disk" "$(cat "/sys/class/block/$name/partition")" || [ $? -eq 1 ]
fi
case $type in ext*) resize2fs "$root" ;; xfs) xfs_growfs / ;; btrfs) btrfs filesystem resize max / ;; esac
"""


class ReachableProvider(Provider):
    """Outputs: the inputs."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"SSH to {text(olds, 'machine')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        _wait(props)
        return CreateResult(f"lab/{text(props, 'stack')}/{text(props, 'machine')}/ssh", _outs(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whether the machine is there is its own resource's question."""
        return ReadResult(id_, _outs(props), {key: props.get(key) for key in INPUTS})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        _wait(news)
        if number(news, "disk_size") > number(olds, "disk_size"):
            Remote(login(news)).run(_GROW, timeout=120, hint="the disk is larger; its file system could not follow")
        return UpdateResult(_outs(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Nothing was made but a connection."""
        Remote(login(props)).close()


def changes(olds: Props, news: Props) -> list[Change]:
    """Another machine is waited for as at first; a restarted one too."""
    found = compare(olds, news, REPLACE_ON)
    for field, reason in UPDATE_ON.items():
        if olds.get(field) != news.get(field):
            found.append(Change(field, reason, replace=False))
    for field in LOGIN:
        if known(news.get(field)) and olds.get(field) != news.get(field):
            found.append(Change(field, f"another {field}", replace=False))
    return found


def login(props: Props) -> Login:
    """How the machine is reached."""
    return Login(
        machine=text(props, "machine"),
        address=text(props, "address"),
        key=Path(text(props, "key")),
        known_hosts=Path(text(props, "known_hosts")),
        user=text(props, "user"),
        port=number(props, "port"),
        jump=text(props, "jump"),
    )


def _wait(props: Props) -> None:
    machine, remote = text(props, "machine"), Remote(login(props))

    def look() -> probe.Answer[str]:
        said = remote.run(_LOOK, timeout=20, check=False)
        return probe.Answer(said.stdout if said.code == 0 else None, said.stdout + said.stderr)

    try:
        result = probe.wait_for(
            "SSH answers and cloud-init is done",
            look,
            timeout=PATIENCE.get(text(props, "acceleration"), PATIENCE["tcg"]),
            every=1,
            where=machine,
        )
    except ProbeTimeoutError as error:
        raise StacklabError(
            error.what,
            where=machine,
            command=f"ssh -i {text(props, 'key')} root@{text(props, 'address')}",
            output=f"{_last(error.output)}\n{_evidence(props)}",
            hint=f"virsh -c '{text(props, 'uri')}' console {text(props, 'domain')}",
        ) from None
    problems = errors(result)
    if problems:
        raise StacklabError(
            "cloud-init reports errors",
            where=machine,
            output="\n".join(problems),
            hint=f"on the machine: cloud-init status --long; less /var/log/cloud-init.log ({machine})",
        )


def errors(result: str) -> list[str]:
    """What cloud-init's result.json complains about. Pure."""
    try:
        return [str(one) for one in json.loads(result)["v1"]["errors"]]
    except (ValueError, KeyError, TypeError):
        return []


def _last(text_: str) -> str:
    return text_.strip().splitlines()[-1] if text_.strip() else "SSH does not answer"


def _evidence(props: Props) -> str:
    try:
        with connect(text(props, "uri")) as libvirt:
            return evidence.gather(
                libvirt,
                text(props, "uri"),
                domain=text(props, "domain"),
                network=text(props, "network"),
                console=text(props, "console"),
            )
    except StacklabError as error:
        return error.what


def _outs(props: Props) -> dict[str, Any]:
    return {key: props.get(key) for key in INPUTS}


class Reachable(Resource, module="stacklab", name="Reachable"):
    """`generation` is the machine's: another one is another machine."""

    generation: pulumi.Output[str]
    address: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        plan: LabPlan,
        machine: Machine,
        login: Login,
        *,
        uri: pulumi.Input[str],
        domain: pulumi.Input[str],
        network: pulumi.Input[str],
        console: pulumi.Input[str],
        generation: pulumi.Input[str],
        started: pulumi.Input[str],
        disk_size: pulumi.Input[int],
        acceleration: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "stack": plan.stack,
            "machine": machine.name,
            "address": machine.address,
            "key": str(login.key),
            "known_hosts": str(login.known_hosts),
            "user": login.user,
            "port": login.port,
            "jump": login.jump,
            "uri": uri,
            "domain": domain,
            "network": network,
            "console": console,
            "generation": generation,
            "started": started,
            "disk_size": disk_size,
            "acceleration": acceleration,
        }
        super().__init__(ReachableProvider(), resource_name, props, opts)
