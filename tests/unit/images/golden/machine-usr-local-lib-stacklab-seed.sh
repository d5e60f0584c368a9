# Takes the machine's name, its host key and the lab's key from the seed disk, before network and sshd start.
#
# cloud-init does the same on images that are not ours; its four Python processes take 45 s on an emulated machine.
set -eu
disk=/dev/disk/by-label/cidata
seed=/run/stacklab-seed
done=/var/lib/stacklab-seed
trap '[ $? = 0 ] || echo "stacklab: the seed disk was not taken in: systemctl status stacklab-seed" >/dev/console' EXIT

udevadm wait --timeout=60 "$disk"
mkdir -p "$seed"
mount -t iso9660 -o ro "$disk" "$seed"
if ! cmp -s "$seed/instance-id" "$done/instance-id"; then
  install -d -m 0700 /root/.ssh
  install -m 0600 "$seed/authorized_keys" /root/.ssh/authorized_keys
  install -m 0600 "$seed/ssh_host_ed25519_key" /etc/ssh/ssh_host_ed25519_key
  install -m 0644 "$seed/ssh_host_ed25519_key.pub" /etc/ssh/ssh_host_ed25519_key.pub
  install -m 0644 "$seed/hostname" /etc/hostname
  install -D -m 0644 "$seed/instance-id" "$done/instance-id"
fi
umount "$seed"
cat /etc/hostname >/proc/sys/kernel/hostname
