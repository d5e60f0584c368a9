"""A small `podman` or `docker` that stands first on kind's PATH and completes kind's own calls. Pure text.

kind has no way to fix a node's address, to mark what it makes, or to do without /lib/modules of the host. So
`run --name <node>` gets `--ip` and our labels, `volume create --label <node>=true` our labels and a name of ours, the
bind mount of a missing /lib/modules an empty folder; every other call goes through as it is.
See docs/decisions/fixed-node-addresses.md.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from modules.local.kind.spec import ClusterSpec

TEMPLATE = """\
#!/bin/sh
# Made by stacklab for the lab {stack}: kind finds it instead of {engine} and gets fixed addresses and our labels.
engine={binary}

case "$1" in
run)
    [ "$2" = --name ] || exec "$engine" "$@"
    name=$3
    case "$name" in
{addresses}
    *) exec "$engine" "$@" ;;
    esac
    shift 3
{mounts}    exec "$engine" run --name "$name" --ip "$address"{labels} "$@"
    ;;
volume)
    [ "$2" = create ] && [ "$3" = --label ] || exec "$engine" "$@"
    exec "$engine" volume create{labels} --label "$4" "${{4%=true}}-var"
    ;;
*)
    exec "$engine" "$@"
    ;;
esac
"""

# The arguments are turned round once, each as it is or replaced.
MOUNTS = """\
    left=$#
    while [ "$left" -gt 0 ]; do
        word=$1
        shift
        [ "$word" = /lib/modules:/lib/modules:ro ] && word={folder}:/lib/modules:ro
        set -- "$@" "$word"
        left=$((left - 1))
    done
"""


def render(spec: ClusterSpec, *, engine: str, binary: str, labels: Mapping[str, str], modules: Path | None) -> str:
    """The script. `modules` is an empty folder to mount in place of the host's /lib/modules, None to leave that."""
    addresses = [f"    {shlex.quote(c.name)}) address={shlex.quote(c.address)} ;;" for c in spec.containers]
    words = [f" --label {shlex.quote(f'{key}={value}')}" for key, value in labels.items()]
    return TEMPLATE.format(
        stack=spec.stack,
        engine=engine,
        binary=shlex.quote(binary),
        addresses="\n".join(addresses),
        mounts=MOUNTS.format(folder=shlex.quote(str(modules))) if modules else "",
        labels="".join(words),
    )
