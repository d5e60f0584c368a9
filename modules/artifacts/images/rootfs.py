"""Debian root file systems as uncompressed tars, made by mmdebstrap from this machine's own package sources.

`base` is the layer below every image that is more than one static binary; `node` is the kind node's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts.images import sources_list
from modules.base.shell import run

SOURCE_DATE_EPOCH = "1735689600"
TIMEOUT = 900
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"

# usr-is-merged instead of usrmerge: the latter pulls in all of perl (50 MB).
COMMON = (
    "usr-is-merged", "bash", "ca-certificates", "conntrack", "ipset", "iproute2", "iptables", "kmod", "nftables",
    "procps",
)  # fmt: skip
NODE = ("systemd", "e2fsprogs", "ethtool", "jq", "libseccomp2", "mount", "curl", "runc", "socat", "util-linux")

DROPPED = ("doc", "info", "lintian", "locale", "man", "bug")

# This machine's name and resolver are not ours to keep; a fixed machine id would be shared by every container.
CLEAN = 'rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/etc/machine-id "$1"/var/cache/apt "$1"/var/lib/apt/lists'

# Debian's runit makes /etc/service a link into its own tree; calico/node wants it to be a plain folder.
NO_RUNIT_TREE = 'rm -rf "$1"/etc/service "$1"/etc/runit'

# A machine's rules are in the legacy or in the nft tables, and whoever adds to them from a container must use the same.
# The first call finds out by the chains that the kubelet makes for that purpose and settles it for this container.
IPTABLES = """\
cat >"$1"/usr/sbin/iptables-either <<"END"
#!/bin/sh
hinted() { "iptables-$1-save" -t mangle 2>/dev/null | grep -qE '^:KUBE-(IPTABLES-HINT|KUBELET-CANARY) '; }
if hinted nft; then mode=nft
elif hinted legacy; then mode=legacy
elif iptables-nft -S >/dev/null 2>&1; then mode=nft
else mode=legacy
fi
for family in iptables ip6tables; do
  update-alternatives --set $family /usr/sbin/$family-$mode >/dev/null || exit 1
done
exec "$0" "$@"
END
chmod 0755 "$1"/usr/sbin/iptables-either
for family in iptables ip6tables; do
  chroot "$1" update-alternatives --install /usr/sbin/$family $family /usr/sbin/iptables-either 100 \\
    --slave /usr/sbin/$family-restore $family-restore /usr/sbin/iptables-either \\
    --slave /usr/sbin/$family-save $family-save /usr/sbin/iptables-either
done
"""

# What kind's own base image takes away, so that systemd starts nothing but the kubelet and containerd.
NO_UNITS = (
    'cd "$1" && rm -rf lib/systemd/system/multi-user.target.wants/* etc/systemd/system/*.wants/*'
    " lib/systemd/system/local-fs.target.wants/* lib/systemd/system/sockets.target.wants/*udev*"
    " lib/systemd/system/sockets.target.wants/*initctl* lib/systemd/system/basic.target.wants/*"
    " lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service"
)


@dataclass(frozen=True)
class Recipe:
    """packages are installed, then each hook runs with the new root as $1."""

    packages: tuple[str, ...]
    hooks: tuple[str, ...]


RECIPES: Mapping[str, Recipe] = {
    "base": Recipe((*COMMON, "runit"), (IPTABLES, NO_RUNIT_TREE, CLEAN)),
    "node": Recipe((*COMMON, *NODE), (NO_UNITS, CLEAN)),
}


def command(recipe: Recipe, suite: str, into: Path) -> list[str]:
    """The mmdebstrap command line; it reads the package sources from standard input."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--hook-dir={MERGED_USR}",
        f"--include={','.join(sorted(recipe.packages))}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in DROPPED),
        *(f"--customize-hook={hook}" for hook in recipe.hooks),
        suite,
        str(into),
        "-",
    ]


def build(name: str, into: Path, on_line: Callable[[str], None] | None = None) -> None:
    """Make the root file system `name` into the tar file `into`; takes about 40 s and the package archive."""
    sources = sources_list.read()
    run(
        command(RECIPES[name], sources.suite, into),
        timeout=TIMEOUT,
        env={"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH},
        stdin="".join(f"{line}\n" for line in sources.lines),
        on_line=on_line,
        where=f"root file system {name}",
        hint="`stacklab doctor` says whether mmdebstrap and the package archive are usable",
    )
