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
sh -c 'echo $$ >/run/stacklab/kubeadm.pid; exec "$@"' kubeadm /opt/stacklab/kubernetes/1.36.3/kubeadm init --config '/etc/x y.yaml'
echo after
