#!/bin/sh
# A cluster on machines over SSH as one makes it by hand: one machine after the other, each command after the one before.
# SSH: what reaches a machine, its address is put behind it. MASTER, WORKERS: addresses. TEXTS: a folder with what is
# written; <address>.* is for one machine. KUBERNETES: the version.
set -eu
on() { address=$1; shift; $SSH "root@$address" "$@"; }

for address in $MASTER $WORKERS; do
    on "$address" 'cat >>/etc/hosts' <"$TEXTS/hosts"
    on "$address" 'cat >/etc/containerd/config.toml' <"$TEXTS/containerd.toml"
    on "$address" 'mkdir -p /etc/stacklab/kubeadm/patches && cat >/etc/stacklab/kubeadm/patches/kubeletconfiguration0+merge.yaml' \
        <"$TEXTS/kubelet.yaml"
    on "$address" sh <"$TEXTS/activate.sh"
    on "$address" 'systemctl daemon-reload && systemctl enable --quiet containerd kubelet && systemctl restart containerd'
done

on "$MASTER" 'cat >/root/init.yaml && kubeadm init --config /root/init.yaml' <"$TEXTS/init.yaml"
join=$(on "$MASTER" 'kubeadm token create --print-join-command')
for address in $WORKERS; do
    on "$address" "$join --node-name $(cat "$TEXTS/$address.name") --cri-socket unix:///run/containerd/containerd.sock" \
        "--patches /etc/stacklab/kubeadm/patches --ignore-preflight-errors=SystemVerification"
done

kubectl='kubectl --kubeconfig=/etc/kubernetes/admin.conf'
on "$MASTER" "$kubectl apply --server-side --filename=-" <"$TEXTS/calico.yaml"
on "$MASTER" "$kubectl wait --for=condition=Ready nodes --all --timeout=180s"
on "$MASTER" "$kubectl -n kube-system rollout status daemonset/calico-node --timeout=180s"
on "$MASTER" "$kubectl -n kube-system rollout status deployment/calico-kube-controllers --timeout=180s"
