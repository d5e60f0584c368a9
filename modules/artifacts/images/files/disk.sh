# Runs once, in a container of the machine image to be, after import.sh: its files and the images become a file system.
#
# Below /run, which is empty on the disk:
#   /run/stacklab/{own,foreign}/*.tar   images       /run/stacklab/build   a volume       /run/stacklab/out   the result
set -eu
here=/run/stacklab
root=/run/root
import_images "$here/build/containerd" "$here"

# The container's own root without what is mounted into it.
mkdir "$root"
mount --bind / "$root"
mount -t tmpfs tmpfs "$root/run"
mount --bind "$here/build/containerd" "$root/var/lib/containerd"
# /boot keeps the kernel's configuration: kubeadm reads it.
rm -rf "$root"/boot/vmlinuz* "$root"/boot/initrd* "$root"/vmlinuz* "$root"/initrd* "$root"/dev/* "$root"/tmp/*
ln -sfn /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

megabytes=$(du -sm "$root" | cut -f1)
# Room for what the first boot writes; the file system grows to the machine's disk then.
mkfs.ext4 -q -F -L "$1" -d "$root" -E assume_storage_prezeroed=1,lazy_itable_init=0,lazy_journal_init=0 \
  "$here/out/disk.raw" "$((megabytes + megabytes / 10 + 512))M"
