cat /etc/stacklab/kubeadm/upgrade 2>/dev/null || echo 1.36.3
cd /etc/kubernetes/manifests && grep -lF ':v1.36.3' kube-apiserver.yaml kube-controller-manager.yaml kube-scheduler.yaml 2>/dev/null || true
