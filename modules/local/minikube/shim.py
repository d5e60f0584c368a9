"""A small `podman` or `docker`, and a `sudo`, that stand first on minikube's PATH and complete its calls. Pure text.

minikube has no way to fix the address or the size of each machine, to mark what it makes, to give machines a cgroup
namespace of their own, to do without /lib/modules of the host, or without kube-vip in front of several masters. So
`run` of a machine gets them, `volume create` our labels; every other call goes through as it is. podman is called
through sudo, also by root, where it may be missing.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from modules.local.minikube import balancer
from modules.local.minikube.spec import Profile

SUDO = """\
#!/bin/sh
# Made by stacklab: minikube calls podman through sudo, and root needs none.
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""

TEMPLATE = """\
#!/bin/sh
# Made by stacklab for the lab {stack}: minikube finds it instead of {engine}.
engine={binary}

case "$1" in
run) ;;
volume)
    [ "$2" = create ] || exec "$engine" "$@"
    shift 2
    exec "$engine" volume create{labels} "$@"
    ;;
*)
    exec "$engine" "$@"
    ;;
esac

name= before=
for word; do
    [ "$before" = --name ] && name=$word
    before=$word
done
shift
case "$name" in
{machines}
*) exec "$engine" run{labels} "$@" ;;
esac

# The arguments are turned round once; what we say instead is left out.
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case "$word" in
    --ip)
        shift
        left=$((left - 1))
        continue
        ;;
    --cpus=*) word="--cpus=$cpus" ;;
    --memory=*) word="--memory=$memory" ;;
    --memory-swap=*) word="--memory-swap=$memory" ;;
{mounts}    esac
    set -- "$@" "$word"
done
{run}
"""
RUN = 'exec "$engine" run --ip "$address"{options}{labels} "$@"'
# minikube's pod of kube-vip is written into nowhere: a balancer of ours has the address that it would take.
RUN_WITHOUT_KUBE_VIP = """\
"$engine" run --ip "$address"{options}{labels} "$@" || exit
[ "$role" = master ] || exit 0
exec "$engine" exec "$name" sh -c {without}"""


def render(
    profile: Profile,
    *,
    binary: str,
    labels: Mapping[str, str],
    modules: Path | None,
    cgroup_v1: bool,
    aliases: Mapping[str, str],
) -> str:
    """The script. `modules`: an empty folder in place of the host's /lib/modules, None to leave that.

    aliases: host name -> address, in the hosts file of every machine; the engine writes that anew at each start.
    """
    several = len(profile.cluster.masters) > 1
    machines = [
        f"{shlex.quote(n.name)}) address={shlex.quote(n.address)} "
        f"cpus={profile.sizes[n.name].cpus} memory={profile.sizes[n.name].memory}b"
        f"{f' role={n.role}' if several else ''} ;;"
        for n in profile.nodes
    ]
    mount = (
        f"    /lib/modules:/lib/modules:ro) word={shlex.quote(str(modules))}:/lib/modules:ro ;;\n" if modules else ""
    )
    options = [*(["--cgroupns", "private"] if cgroup_v1 else [])]
    options += [word for name, address in aliases.items() for word in ("--add-host", f"{name}:{address}")]
    marks = "".join(f" --label {shlex.quote(f'{key}={value}')}" for key, value in labels.items())
    run = (RUN_WITHOUT_KUBE_VIP if several else RUN).format(
        options="".join(f" {shlex.quote(word)}" for word in options),
        labels=marks,
        without=shlex.quote(balancer.WITHOUT_KUBE_VIP),
    )
    return TEMPLATE.format(
        stack=profile.cluster.stack,
        engine=profile.driver,
        binary=shlex.quote(binary),
        machines="\n".join(machines),
        mounts=mount,
        labels=marks,
        run=run,
    )
