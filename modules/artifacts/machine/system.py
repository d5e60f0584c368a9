"""What makes the root file system a machine of a lab beside texts.py: files that only the machine image has."""

from __future__ import annotations

from collections.abc import Mapping

LABEL = "stacklab"  # of the root file system
CMDLINE = f"root=LABEL={LABEL} rw console=tty0 console=ttyS0,115200 net.ifnames=0 quiet ds=nocloud"

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

SSHD = "PasswordAuthentication no\nPermitRootLogin prohibit-password\nMaxSessions 64\nMaxStartups 64\n"

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
        "/etc/systemd/network/10-stacklab-pods.link": POD_LINKS,
    }


def links() -> Mapping[str, str]:
    """Path on the machine -> where the symbolic link points."""
    return {"/etc/resolv.conf": "/run/systemd/resolve/stub-resolv.conf"}
