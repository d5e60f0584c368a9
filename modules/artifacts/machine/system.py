"""What makes the root file system a machine of a lab beside texts.py: files that only the machine image has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

LABEL = "stacklab"  # of the root file system
SEEDED = "stacklab.seed"  # on the kernel's command line: a seed disk of ours is there, cloud-init is not needed
CMDLINE = f"root=LABEL={LABEL} rw console=tty0 console=ttyS0,115200 net.ifnames=0 quiet {SEEDED} cloud-init=disabled"

# It grows to the size of the disk at each boot. New inode tables are not zeroed: that would only fill a sparse disk.
FSTAB = f"LABEL={LABEL} / ext4 defaults,noatime,noinit_itable,x-systemd.growfs 0 0\n"

# Addresses of pods and of keepalived are not networkd's to remove.
NETWORKD = "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"

# udev would give these another hardware address after their maker has told the other machines the first one.
POD_LINKS = """\
[Match]
OriginalName=cali* cni* flannel* veth* vxlan*

[Link]
MACAddressPolicy=none
"""

# An API server whose etcd has ended already waits for it as long as systemd lets it, which is a minute and a half.
CONTAINERS = "[Scope]\nTimeoutStopSec=15s\n"

SSHD = "PasswordAuthentication no\nPermitRootLogin prohibit-password\nMaxSessions 64\nMaxStartups 64\n"

# Below every name that cloud-init gives its own file, so that where it runs, its word counts.
NETWORK = "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n"

SEED_UNIT = "/etc/systemd/system/stacklab-seed.service"
SEED_SCRIPT = "/usr/local/lib/stacklab/seed.sh"
SEED_SERVICE = f"""\
[Unit]
Description=First boot of a lab's machine: its name and keys
DefaultDependencies=no
ConditionKernelCommandLine={SEEDED}
After=local-fs.target systemd-udevd.service
Wants=network-pre.target
Before=network-pre.target systemd-networkd.service ssh.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {SEED_SCRIPT}
"""

# Only what a lab's seed uses: the rest takes a second each on an emulated machine.
CLOUD = """\
datasource_list: [NoCloud, None]
disable_root: false
users: []
ssh_genkeytypes: [ed25519]
system_info:
  network:
    renderers: [networkd]
cloud_init_modules: [bootcmd, write-files, set_hostname, update_hostname, users-groups, ssh]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
"""


def files() -> Mapping[str, str]:
    """Path on the machine -> text."""
    return {
        "/etc/fstab": FSTAB,
        "/etc/hostname": "machine\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
        "/etc/default/locale": "LANG=C.UTF-8\n",
        "/etc/cloud/ds-identify.cfg": "policy: enabled\n",
        "/etc/cloud/cloud.cfg.d/99_stacklab.cfg": CLOUD,
        "/etc/ssh/sshd_config.d/stacklab.conf": SSHD,
        "/etc/systemd/journald.conf.d/stacklab.conf": "[Journal]\nSystemMaxUse=100M\n",
        "/etc/systemd/networkd.conf.d/stacklab.conf": NETWORKD,
        "/etc/systemd/system/cri-containerd-.scope.d/stacklab.conf": CONTAINERS,
        "/etc/systemd/network/10-stacklab-pods.link": POD_LINKS,
        "/etc/systemd/network/90-stacklab.network": NETWORK,
        SEED_UNIT: SEED_SERVICE,
        SEED_SCRIPT: (Path(__file__).parent / "seed.sh").read_text(),
    }


def links() -> Mapping[str, str]:
    """Path on the machine -> where the symbolic link points."""
    return {
        "/etc/resolv.conf": "/run/systemd/resolve/stub-resolv.conf",
        f"/etc/systemd/system/multi-user.target.wants/{Path(SEED_UNIT).name}": SEED_UNIT,
    }
