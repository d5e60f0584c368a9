set -e
test -x /opt/stacklab/kubernetes/1.36.3/kubeadm
ln -sfn /opt/stacklab/kubernetes/1.36.3/kubeadm /usr/local/bin/kubeadm.stacklab && mv -fT /usr/local/bin/kubeadm.stacklab /usr/local/bin/kubeadm
test -x /opt/stacklab/kubernetes/1.36.3/kubectl
ln -sfn /opt/stacklab/kubernetes/1.36.3/kubectl /usr/local/bin/kubectl.stacklab && mv -fT /usr/local/bin/kubectl.stacklab /usr/local/bin/kubectl
test -x /opt/stacklab/kubernetes/1.36.3/kubelet
ln -sfn /opt/stacklab/kubernetes/1.36.3/kubelet /usr/local/bin/kubelet.stacklab && mv -fT /usr/local/bin/kubelet.stacklab /usr/local/bin/kubelet
