"""What the Debian root file systems are made of, as data; modules.artifacts.images.rootfs makes them.

`base` is the layer below every image that is more than one static binary; `node` is the kind node's, `minikube` that of
minikube's machines; `machine` is a virtual machine's, with kernel and initrd.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts.machine import debian

SOURCE_DATE_EPOCH = "1735689600"
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"

# usr-is-merged instead of usrmerge: the latter pulls in all of perl (50 MB).
COMMON = (
    "usr-is-merged", "bash", "ca-certificates", "conntrack", "ipset", "iproute2", "iptables", "kmod", "nftables",
    "procps",
)  # fmt: skip
NODE = ("systemd", "e2fsprogs", "ethtool", "jq", "libseccomp2", "mount", "curl", "runc", "socat", "util-linux")
# minikube reaches its machines over SSH, as a user who may become root.
MINIKUBE = ("openssh-server", "sudo", "iputils-ping")

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

# The user that minikube logs in as. Host keys are each machine's own.
DOCKER_USER = (
    'chroot "$1" useradd --create-home --shell /bin/bash --user-group --groups sudo --password "*" docker'
    ' && mkdir "$1"/home/docker/.ssh && chroot "$1" chown docker:docker /home/docker/.ssh'
    ' && rm -f "$1"/etc/ssh/ssh_host_*'
)


@dataclass(frozen=True)
class Recipe:
    """packages are installed, then each hook runs with the new root as $1; each of `before` ran before the packages."""

    packages: tuple[str, ...]
    hooks: tuple[str, ...]
    before: tuple[str, ...] = ()


RECIPES: Mapping[str, Recipe] = {
    "base": Recipe((*COMMON, "runit"), (IPTABLES, NO_RUNIT_TREE, CLEAN)),
    "node": Recipe((*COMMON, *NODE), (NO_UNITS, CLEAN)),
    "minikube": Recipe((*COMMON, *NODE, *MINIKUBE), (NO_UNITS, DOCKER_USER, CLEAN)),
    "machine": Recipe(
        (*COMMON, *debian.PACKAGES), (debian.UNITS, CLEAN, debian.MACHINE_OWN, debian.SLIM), before=(debian.INITRAMFS,)
    ),
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
        *(f"--essential-hook={hook}" for hook in recipe.before),
        *(f"--customize-hook={hook}" for hook in recipe.hooks),
        suite,
        str(into),
        "-",
    ]


def version(name: str) -> str:
    """Changes with everything that we say about it; not with what Debian releases meanwhile."""
    words = command(RECIPES[name], "suite", Path("into"))
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]
