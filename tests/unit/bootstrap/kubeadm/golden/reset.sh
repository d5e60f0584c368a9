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
# Their networks: the plugin that would take them down asked an API that is gone.
for space in /run/netns/cni-*; do [ ! -e "$space" ] || { umount -l "$space" 2>/dev/null; rm -f "$space"; }; done
# containerd watches the folder of networks, and ends itself when that is gone.
rm -rf /etc/cni/net.d/*
rm -rf /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/cni /var/lib/calico /run/calico \
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
if command -v nft >/dev/null; then
    for table in 'ip kube-proxy' 'ip6 kube-proxy'; do nft delete table $table 2>/dev/null; done
    # What iptables made for the cluster's rules, and nobody uses: chains that are empty and let everything through.
    nft list tables 2>/dev/null | grep -E '^table ip6? (raw|mangle|nat|filter)$' | while read -r _ table; do
        nft list table $table | grep -qvE '^table |^[[:space:]]*(chain [A-Z]+ [{]|type .* policy accept;|[}])?$' ||
            nft delete table $table
    done
fi
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
