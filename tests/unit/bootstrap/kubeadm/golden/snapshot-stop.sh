set -e
umask 077
mkdir -p /etc/kubernetes/stacklab-aside
for pod in kube-apiserver etcd; do
    [ ! -f /etc/kubernetes/manifests/$pod.yaml ] || mv /etc/kubernetes/manifests/$pod.yaml /etc/kubernetes/stacklab-aside/
done
for pod in kube-apiserver etcd; do
    left=60
    while [ -n "$(crictl ps -q --name "^$pod\$" --state Running)" ]; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "$pod does not stop" >&2; exit 1; }
        sleep 1
    done
done
