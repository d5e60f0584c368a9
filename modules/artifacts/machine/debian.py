"""The packages of the machine's root file system, and what of them is left out or switched off: pure data.

Boots without a boot loader (kernel and initrd are handed over by the hypervisor), with what a virtio disk of one
ext4 file system needs and nothing else; nothing runs by a timer.
"""

from __future__ import annotations

import platform

KERNELS = {"x86_64": "linux-image-cloud-amd64", "aarch64": "linux-image-cloud-arm64"}

# libpam-systemd stays out: a session of its own for every command over SSH takes seconds on an emulated machine.
PACKAGES = (
    KERNELS.get(platform.machine(), "linux-image-cloud-amd64"), "initramfs-tools",
    "systemd", "systemd-sysv", "systemd-resolved", "systemd-timesyncd", "udev", "dbus",
    "cloud-init", "openssh-server", "sudo",
    "runc", "libseccomp2", "ebtables", "ethtool", "socat", "jq",
    "keepalived", "haproxy",
    "bash-completion", "curl", "e2fsprogs", "iputils-ping", "less", "mount", "util-linux", "vim-tiny",
)  # fmt: skip

# Read by the kernel package's own call of update-initramfs, so before it is installed.
INITRAMFS = r"""set -e
mkdir -p "$1"/etc/initramfs-tools/conf.d "$1"/usr/share/initramfs-tools/modules.d
printf '%s\n' MODULES=list BUSYBOX=n COMPRESS=gzip RESUME=none >"$1"/etc/initramfs-tools/conf.d/stacklab
printf '%s\n' virtio_pci virtio_mmio virtio_blk ext4 >"$1"/usr/share/initramfs-tools/modules.d/stacklab
"""

ENABLED = ("systemd-networkd", "systemd-resolved", "systemd-timesyncd", "ssh")
DISABLED = (
    "haproxy.service", "keepalived.service", "e2scrub_reap.service", "systemd-pstore.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "cloud-init-hotplugd.socket",
)  # fmt: skip

UNITS = f"""set -e
chroot "$1" systemctl --quiet enable {" ".join(ENABLED)}
chroot "$1" systemctl --quiet disable {" ".join(DISABLED)}
"""

# Host keys are each machine's own. An empty machine-id is filled at boot, and presets do not enable everything again.
MACHINE_OWN = """set -e
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/.resolv.conf.systemd-resolved.bak "$1"/var/lib/dbus/machine-id
: >"$1"/etc/machine-id
"""

# 35 MB of what only hardware and other languages need.
SLIM = 'rm -rf "$1"/usr/lib/udev/hwdb.bin "$1"/usr/lib/udev/hwdb.d "$1"/usr/share/i18n'
