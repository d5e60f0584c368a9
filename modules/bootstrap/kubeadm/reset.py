"""A machine without anything of a cluster: what kubeadm, the kubelet and pods left goes, the machine stays prepared.

Also the undo of everything that modules.bootstrap.kubeadm, endpoint and etcd put on a machine.
"""

from __future__ import annotations

from modules.bootstrap import endpoint, etcd
from modules.bootstrap.kubeadm import running, state
from modules.bootstrap.kubeadm.admin import BASHRC_BEGIN, BASHRC_END, COMPLETION, KUBECONFIG
from modules.bootstrap.kubeadm.config import FOLDER
from modules.bootstrap.steps import journal
from modules.machines.remote import Remote

# Links that CNI plugins make; kubeadm leaves them, and the next cluster's plugin would trip over them.
LINKS = ("cni0", "flannel.1", "vxlan.calico", "tunl0", "kube-ipvs0", "nodelocaldns")
CHAINS = "KUBE-|cali-|cali:|FLANNEL|flannel"


def script() -> str:
    """Idempotent; runs also where kubeadm was killed half way, or never ran. Pure."""
    return f"""{running.alone()}
set +e
[ ! -s {state.MARK} ] || sed -i 's/"state": "whole"/"state": "begun"/' {state.MARK}
systemctl stop kubelet 2>/dev/null
kubeadm=$(command -v kubeadm) && "$kubeadm" reset --force --cleanup-tmp-dir \\
    --skip-phases=remove-etcd-member >{running.RUN}/reset.log 2>&1
# What still runs below containerd: pods of a kubelet that is gone.
if command -v crictl >/dev/null && [ -S /run/containerd/containerd.sock ]; then
    crictl pods -q 2>/dev/null | xargs -r -n 20 timeout 60 crictl rmp --force >/dev/null 2>&1
fi
awk '$2 ~ "^/var/lib/kubelet/" {{print $2}}' /proc/mounts | sort -r | xargs -r -n 1 umount -l 2>/dev/null
# Their networks: the plugin that would take them down asked an API that is gone.
for space in /run/netns/cni-*; do [ ! -e "$space" ] || {{ umount -l "$space" 2>/dev/null; rm -f "$space"; }}; done
# containerd watches the folder of networks, and ends itself when that is gone.
rm -rf /etc/cni/net.d/*
rm -rf /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/cni /var/lib/calico /run/calico \\
    /run/flannel /var/log/pods /var/log/containers /var/log/calico {FOLDER}
for link in {" ".join(LINKS)}; do ip link show "$link" >/dev/null 2>&1 && ip link delete "$link" 2>/dev/null; done
ip -o link show 2>/dev/null | awk -F': ' '{{print $2}}' | sed 's/@.*//' | grep '^cali' |
    while read -r link; do ip link delete "$link" 2>/dev/null; done
ip route show 2>/dev/null | grep -E 'proto (bird|80)( |$)' |
    while read -r route; do ip route del $route 2>/dev/null; done
chains='{CHAINS}'
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
        nft list table $table | grep -qvE '^table |^[[:space:]]*(chain [A-Z]+ [{{]|type .* policy accept;|[}}])?$' ||
            nft delete table $table
    done
fi
command -v ipvsadm >/dev/null && ipvsadm --clear 2>/dev/null
command -v ipset >/dev/null && ipset list -n 2>/dev/null | grep -E '^(cali|KUBE-)' |
    while read -r set; do ipset destroy "$set" 2>/dev/null; done
for file in {KUBECONFIG} {COMPLETION}; do ! grep -qsxF "$file" {journal.WRITTEN} || rm -f "$file"; done
[ ! -f /root/.bashrc ] || sed -i '/^{BASHRC_BEGIN}$/,/^{BASHRC_END}$/d' /root/.bashrc
{endpoint.undo()}
rm -f {state.MARK} {running.PID}
rmdir /etc/stacklab 2>/dev/null
[ ! -e /etc/kubernetes ] || {{ tail -20 {running.RUN}/reset.log >&2; exit 1; }}
rm -f {running.RUN}/reset.log
exit 0
"""


def undo_all() -> str:
    """The same, and members of an etcd of its own with their data: for a machine that is given back. Pure."""
    return f"(\n{script()})\nfailed=$?\n{etcd.undo()}exit $failed\n"


def reset(remote: Remote) -> None:
    """Do it on a machine."""
    remote.run(script(), timeout=running.RESET, hint="the same command again")
