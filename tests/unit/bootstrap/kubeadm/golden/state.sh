echo mark "$(cat /etc/stacklab/cluster.json 2>/dev/null | tr -d '\n')"
for sign in /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf /etc/kubernetes/manifests/kube-apiserver.yaml; do [ ! -e "$sign" ] || echo sign "$sign"; done
