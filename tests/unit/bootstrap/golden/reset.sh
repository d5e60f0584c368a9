# ===== the cluster
(
set -e
mkdir -p -m 700 /run/stacklab
exec 9>>/run/stacklab/kubeadm.lock
if ! flock -n 9; then
    kill -TERM "$(cat /run/stacklab/kubeadm.pid 2>/dev/null)" 2>/dev/null || true
    if ! flock -w 15 9; then
        kill -KILL "$(cat /run/stacklab/kubeadm.pid 2>/dev/null)" 2>/dev/null || true
        flock -w 15 9 || { echo "another kubeadm is at work and does not end: $(cat /run/stacklab/kubeadm.pid)" >&2; exit 75; }
    fi
fi

set +e
[ ! -s /etc/stacklab/cluster.json ] || sed -i 's/"state": "whole"/"state": "begun"/' /etc/stacklab/cluster.json
systemctl stop kubelet 2>/dev/null
kubeadm=$(command -v kubeadm) && "$kubeadm" reset --force --cleanup-tmp-dir \
    --skip-phases=remove-etcd-member >/run/stacklab/reset.log 2>&1
# What still runs below containerd: pods of a kubelet that is gone.
if command -v crictl >/dev/null && [ -S /run/containerd/containerd.sock ]; then
    crictl pods -q 2>/dev/null | xargs -r -n 20 timeout 60 crictl rmp --force >/dev/null 2>&1
fi
awk '$2 ~ "^/var/lib/kubelet/" {print $2}' /proc/mounts | sort -r | xargs -r -n 1 umount -l 2>/dev/null
rm -rf /etc/kubernetes /var/lib/kubelet /var/lib/etcd /etc/cni/net.d /var/lib/cni /var/lib/calico /run/calico \
    /run/flannel /var/log/pods /var/log/containers /var/log/calico /etc/stacklab/kubeadm
for link in cni0 flannel.1 vxlan.calico tunl0 kube-ipvs0 nodelocaldns; do ip link show "$link" >/dev/null 2>&1 && ip link delete "$link" 2>/dev/null; done
ip -o link show 2>/dev/null | awk -F': ' '{print $2}' | sed 's/@.*//' | grep '^cali' |
    while read -r link; do ip link delete "$link" 2>/dev/null; done
ip route show 2>/dev/null | grep -E 'proto (bird|80)( |$)' |
    while read -r route; do ip route del $route 2>/dev/null; done
chains='KUBE-|cali-|cali:|FLANNEL|flannel'
# The chains of the portmap plugin may be those of another container engine.
command -v podman >/dev/null || command -v docker >/dev/null || chains="$chains|CNI-"
for family in iptables ip6tables; do
    command -v "$family-save" >/dev/null || continue
    "$family-save" 2>/dev/null | grep -q -E "$chains" || continue
    # Rules and chains of the cluster's only, so that a firewall of the machine's own stays.
    "$family-save" | grep -v -E "$chains" | "$family-restore"
done
command -v nft >/dev/null && for table in 'ip kube-proxy' 'ip6 kube-proxy'; do nft delete table $table 2>/dev/null; done
command -v ipvsadm >/dev/null && ipvsadm --clear 2>/dev/null
command -v ipset >/dev/null && ipset list -n 2>/dev/null | grep -E '^(cali|KUBE-)' |
    while read -r set; do ipset destroy "$set" 2>/dev/null; done
for file in /root/.kube/config /etc/bash_completion.d/kubectl; do ! grep -qsxF "$file" /var/lib/stacklab/written || rm -f "$file"; done
[ ! -f /root/.bashrc ] || sed -i '/^# stacklab kubectl begin$/,/^# stacklab kubectl end$/d' /root/.bashrc
[ ! -e /etc/systemd/system/stacklab-keepalived.service ] || systemctl disable --now --quiet stacklab-keepalived.service 2>/dev/null
[ ! -e /etc/systemd/system/stacklab-haproxy.service ] || systemctl disable --now --quiet stacklab-haproxy.service 2>/dev/null
rm -f /etc/stacklab/haproxy.cfg /etc/systemd/system/stacklab-haproxy.service /etc/stacklab/keepalived.conf /etc/stacklab/check-api /etc/systemd/system/stacklab-keepalived.service
systemctl daemon-reload
rm -f /etc/stacklab/cluster.json /run/stacklab/kubeadm.pid
rmdir /etc/stacklab 2>/dev/null
[ ! -e /etc/kubernetes ] || { tail -20 /run/stacklab/reset.log >&2; exit 1; }
rm -f /run/stacklab/reset.log
exit 0
)
failed=$?
[ ! -e /etc/systemd/system/stacklab-etcd.service ] || systemctl disable --now --quiet stacklab-etcd.service 2>/dev/null
rm -rf /etc/systemd/system/stacklab-etcd.service /etc/stacklab/etcd.yaml /etc/stacklab/etcd-certs.yaml /etc/stacklab/pki /var/lib/stacklab/etcd /etc/stacklab/etcd.json
systemctl daemon-reload
rmdir /etc/stacklab 2>/dev/null
true
exit $failed
# ===== images
if [ -f /var/lib/stacklab/images ] && command -v ctr >/dev/null; then
    while read -r reference; do ctr -n k8s.io images rm --sync "$reference" >/dev/null 2>&1 || true; done </var/lib/stacklab/images
fi
rm -f /var/lib/stacklab/images /var/lib/stacklab/imported
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /opt/stacklab/images.list*|/opt/stacklab/import.tar*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
# ===== containers
if grep -qsxF /usr/local/bin/containerd /var/lib/stacklab/written; then
    systemctl stop containerd 2>/dev/null
    pkill -KILL -f ^/usr/local/bin/containerd-shim 2>/dev/null
    awk '$2 ~ "^/(run|var/lib)/containerd/" {print $2}' /proc/mounts | sort -r |
        while IFS= read -r mount; do umount -l "$mount"; done
    for folder in /var/lib/containerd /run/containerd; do
        [ ! -d $folder ] || find $folder -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system {} +
    done
fi
true
# ===== services
if [ -f /var/lib/stacklab/units ]; then
    sort -u /var/lib/stacklab/units | while read -r unit; do systemctl disable --now --quiet "$unit" 2>/dev/null || true; done
    rm -f /var/lib/stacklab/units
fi
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /etc/systemd/system/containerd.service*|/etc/systemd/system/kubelet.service*|/etc/systemd/system/kubelet.service.d/10-kubeadm.conf*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
systemctl daemon-reload 2>/dev/null || true
systemctl reset-failed containerd kubelet 2>/dev/null || true
# ===== files
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
# ===== packages
if [ -f /var/lib/stacklab/packages.before ]; then
    if command -v apt-get >/dev/null; then dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort -u; else rpm -qa --qf '%{NAME}\n' | sort -u; fi >/var/lib/stacklab/packages.before.now
    comm -13 /var/lib/stacklab/packages.before /var/lib/stacklab/packages.before.now >>/var/lib/stacklab/packages
    rm -f /var/lib/stacklab/packages.before /var/lib/stacklab/packages.before.now
fi
if [ -s /var/lib/stacklab/packages ]; then
    if command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive xargs apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 purge </var/lib/stacklab/packages
    else
        xargs dnf -q -y --setopt=clean_requirements_on_remove=0 remove </var/lib/stacklab/packages
    fi
fi
rm -f /var/lib/stacklab/packages
# ===== sysctls
if [ -f /var/lib/stacklab/written ]; then
    while IFS= read -r path; do
        case $path in /etc/sysctl.d/90-stacklab.conf*) ;; *) continue ;; esac
        if [ -e "/var/lib/stacklab/kept$path" ] || [ -L "/var/lib/stacklab/kept$path" ]; then
            mv -fT "/var/lib/stacklab/kept$path" "$path" 2>/dev/null || cp -a "/var/lib/stacklab/kept$path" "$path"
        else
            rm -f "$path"
        fi
    done </var/lib/stacklab/written
fi
if [ -f /var/lib/stacklab/sysctls ]; then
    while read -r name value; do
        echo "$value" >"/proc/sys/$(echo "$name" | tr . /)" 2>/dev/null || true
    done </var/lib/stacklab/sysctls
    rm -f /var/lib/stacklab/sysctls
fi
# ===== kernel modules
if [ -f /var/lib/stacklab/modules ]; then
    sort -ru /var/lib/stacklab/modules | while read -r name; do modprobe -r "$name" 2>/dev/null || true; done
    rm -f /var/lib/stacklab/modules
fi
# ===== firewall
if [ -f /var/lib/stacklab/firewall ]; then
    while IFS= read -r undo; do sh -c "$undo" >/dev/null 2>&1 || true; done </var/lib/stacklab/firewall
    rm -f /var/lib/stacklab/firewall
    if command -v firewall-cmd >/dev/null; then firewall-cmd --reload >/dev/null 2>&1 || true; fi
fi
# ===== SELinux
if grep -qs '^SELINUX=permissive #stacklab' /etc/selinux/config; then
    sed -i 's/^SELINUX=permissive #stacklab/SELINUX=enforcing/' /etc/selinux/config
fi
if [ "$(cat /var/lib/stacklab/selinux 2>/dev/null)" = Enforcing ]; then setenforce 1; fi
rm -f /var/lib/stacklab/selinux
# ===== swap
if grep -qs '^#stacklab# ' /etc/fstab; then sed -i 's/^#stacklab# //' /etc/fstab; fi
if [ -f /var/lib/stacklab/swap ]; then
    while IFS= read -r one; do swapon "$one" 2>/dev/null || true; done </var/lib/stacklab/swap
    rm -f /var/lib/stacklab/swap
fi
# ===== host name
if [ -s /var/lib/stacklab/hostname ]; then
    head -n 1 /var/lib/stacklab/hostname | tr -d '\n' >/proc/sys/kernel/hostname
    tail -n +2 /var/lib/stacklab/hostname >/var/lib/stacklab/hostname.file
    if [ -s /var/lib/stacklab/hostname.file ]; then cat /var/lib/stacklab/hostname.file >/etc/hostname; else rm -f /etc/hostname; fi
    rm -f /var/lib/stacklab/hostname /var/lib/stacklab/hostname.file
fi
# ===== hosts file
if grep -qx '# stacklab cka begin' /etc/hosts && grep -qx '# stacklab cka end' /etc/hosts; then
    rest=$(mktemp)
    sed '/^# stacklab cka begin$/,/^# stacklab cka end$/d' /etc/hosts >"$rest"
    cat "$rest" >/etc/hosts
    rm -f "$rest"
fi
# ===== folders
if [ -f /var/lib/stacklab/folders ]; then
    sort -r /var/lib/stacklab/folders | while IFS= read -r path; do
        case $path in
            /*/*) awk -v p="$path/" 'index($2 "/", p) == 1 {print $2}' /proc/mounts | sort -r |
                      while IFS= read -r mount; do umount -l "$mount" 2>/dev/null || true; done
                  rm -rf --one-file-system -- "$path" ;;
            *) rmdir -- "$path" 2>/dev/null || true ;;
        esac
    done
fi
