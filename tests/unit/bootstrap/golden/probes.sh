# ===== mark
cat /var/lib/stacklab/stack 2>/dev/null || true
# ===== hosts file
cat /etc/hosts; printf '\nend'
# ===== host name
cat /proc/sys/kernel/hostname; cat /etc/hostname 2>/dev/null || true
# ===== swap off
if [ -e /run/.containerenv ] || [ -e /.dockerenv ] ||
    tr '\0' '\n' </proc/1/environ 2>/dev/null | grep -q '^container='; then echo container; fi
awk 'NR>1 {print "on " $1}' /proc/swaps
awk '$1 !~ /^#/ && $3 == "swap" {print "fstab " $1}' /etc/fstab 2>/dev/null || true
# ===== selinux
echo now $(getenforce 2>/dev/null); grep -s '^SELINUX=' /etc/selinux/config || true
# ===== firewall
if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
    echo firewalld
    firewall-cmd --list-ports | tr ' ' '\n'
    firewall-cmd --list-protocols | tr ' ' '\n' | sed '/./s/^/protocol /'
    firewall-cmd --zone=trusted --list-sources | tr ' ' '\n' | sed '/./s/^/source /'
elif command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
    echo ufw
    ufw show added | grep -F "'stacklab'" || true
fi
# ===== kernel modules
if [ -e /run/.containerenv ] || [ -e /.dockerenv ] ||
    tr '\0' '\n' </proc/1/environ 2>/dev/null | grep -q '^container='; then echo container; fi
stat -L -c 'file %s %a %n' /etc/modules-load.d/stacklab.conf 2>/dev/null || true
sha256sum /etc/modules-load.d/stacklab.conf 2>/dev/null | sed 's/^/digest /' || true
for name in overlay br_netfilter; do [ -d /sys/module/$name ] || echo absent $name; done
[ ! -d /proc/sys/net/bridge ] || echo bridged
grep -q overlay /proc/filesystems && echo overlayed || true
# ===== sysctls
if [ -e /run/.containerenv ] || [ -e /.dockerenv ] ||
    tr '\0' '\n' </proc/1/environ 2>/dev/null | grep -q '^container='; then echo container; fi
stat -L -c 'file %s %a %n' /etc/sysctl.d/90-stacklab.conf 2>/dev/null || true
sha256sum /etc/sysctl.d/90-stacklab.conf 2>/dev/null | sed 's/^/digest /' || true
echo value net.bridge.bridge-nf-call-ip6tables $(cat /proc/sys/net/bridge/bridge-nf-call-ip6tables 2>/dev/null)
echo value net.bridge.bridge-nf-call-iptables $(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)
echo value net.ipv4.ip_forward $(cat /proc/sys/net/ipv4/ip_forward 2>/dev/null)
echo value fs.inotify.max_user_instances $(cat /proc/sys/fs/inotify/max_user_instances 2>/dev/null)
echo value fs.inotify.max_user_watches $(cat /proc/sys/fs/inotify/max_user_watches 2>/dev/null)
# ===== packages
if command -v apt-get >/dev/null; then echo debian; elif command -v dnf >/dev/null; then echo redhat; fi
for name in ethtool ip mount nsenter runc socat tc; do command -v $name >/dev/null || echo absent $name; done
# ===== containerd programs
stat -L -c 'file %s %a %n' /usr/local/bin/containerd /usr/local/bin/crictl 2>/dev/null || true
# ===== cni plugins
stat -L -c 'file %s %a %n' /opt/cni/bin/calico /opt/cni/bin/bridge 2>/dev/null || true
# ===== containerd configuration
[ "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ] || echo cgroup_v1
(echo -1 >/proc/self/oom_score_adj) 2>/dev/null || echo no_oom_adjust
stat -L -c 'file %s %a %n' /etc/containerd/config.toml /etc/crictl.yaml 2>/dev/null || true
sha256sum /etc/containerd/config.toml /etc/crictl.yaml 2>/dev/null | sed 's/^/digest /' || true
# ===== kubernetes 1.36.3
stat -L -c 'file %s %a %n' /opt/stacklab/kubernetes/1.36.3/kubeadm /opt/stacklab/kubernetes/1.36.3/kubelet /opt/stacklab/kubernetes/1.36.3/kubectl 2>/dev/null || true
# ===== units
stat -L -c 'file %s %a %n' /etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d/10-kubeadm.conf 2>/dev/null || true
sha256sum /etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d/10-kubeadm.conf 2>/dev/null | sed 's/^/digest /' || true
[ ! -e /var/lib/stacklab/restart-containerd ] || echo restart
for unit in containerd kubelet; do systemctl is-enabled --quiet $unit 2>/dev/null || echo off $unit; done
systemctl is-active --quiet containerd || echo down containerd
# ===== images
cat /opt/stacklab/images.list 2>/dev/null || true
