"""Snapshots of a cluster's etcd: taken on a master, restored on all of them. The scripts are pure.

On masters etcd is a static pod: its programs are asked inside its container. Restoring needs etcdutl, which is brought.
"""

from __future__ import annotations

import shlex

MANIFESTS = "/etc/kubernetes/manifests"
PKI = "/etc/kubernetes/pki/etcd"
DATA = "/var/lib/etcd"
ASIDE = "/etc/kubernetes/stacklab-aside"
SNAPSHOT = f"{DATA}/stacklab-snapshot.db"
RESTORED = "/var/lib/stacklab/etcd-restored"
BEFORE = "/var/lib/stacklab/etcd-before-restore"
COMING = "/run/stacklab/restore.db"


def inside(*words: str) -> str:
    """A script that runs etcdctl in the container of a master's etcd."""
    tls = f"--cacert={PKI}/ca.crt --cert={PKI}/server.crt --key={PKI}/server.key"
    return f"""\
container=$(crictl ps -q --name '^etcd$' --state Running | head -n 1)
[ -n "$container" ] || {{ echo "etcd does not run here: crictl ps -a" >&2; exit 1; }}
exec crictl exec -s "$container" etcdctl --endpoints=https://127.0.0.1:2379 {tls} {shlex.join(words)}
"""


def save() -> str:
    """Leaves the snapshot in SNAPSHOT, for its owner only."""
    return f"umask 077\nrm -f {SNAPSHOT} {SNAPSHOT}.part\n{inside('snapshot', 'save', SNAPSHOT)}"


def stop() -> str:
    """The API and etcd of a master stop: the kubelet finds no static pods any more."""
    return f"""\
set -e
umask 077
mkdir -p {ASIDE}
for pod in kube-apiserver etcd; do
    [ ! -f {MANIFESTS}/$pod.yaml ] || mv {MANIFESTS}/$pod.yaml {ASIDE}/
done
for pod in kube-apiserver etcd; do
    left=60
    while [ -n "$(crictl ps -q --name "^$pod\\$" --state Running)" ]; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || {{ echo "$pod does not stop" >&2; exit 1; }}
        sleep 1
    done
done
"""


def restore(etcdutl: str, name: str, peer: str, initial: str, token: str, data: str = DATA) -> str:
    """This machine's member from the snapshot in COMING; the data it had is kept until the next restore."""
    words = shlex.join(
        [
            *(etcdutl, "snapshot", "restore", COMING, f"--name={name}", f"--initial-cluster={initial}"),
            *(f"--initial-cluster-token={token}", f"--initial-advertise-peer-urls={peer}", f"--data-dir={RESTORED}"),
            # A cache of an API server or a controller must not take what it knew for newer than what is restored.
            *("--bump-revision=1000000000", "--mark-compacted"),
        ]
    )
    return f"""\
set -e
umask 077
rm -rf {RESTORED}
{words}
rm -rf {BEFORE}
[ ! -d {data}/member ] || mv {data} {BEFORE}
rm -rf {data}
mv {RESTORED} {data}
rm -f {COMING}
"""


# Static pods and the kubelet forget what they knew.
LOOK_AGAIN = """\
set -e
for pod in kube-controller-manager kube-scheduler; do
    crictl ps -q --name "^$pod\\$" --state Running | xargs -r timeout 60 crictl stop --timeout 10 >/dev/null
done
systemctl restart kubelet
"""


def start() -> str:
    """The static pods are back."""
    return f"""\
set -e
for pod in etcd kube-apiserver; do
    [ ! -f {ASIDE}/$pod.yaml ] || mv {ASIDE}/$pod.yaml {MANIFESTS}/
done
rmdir {ASIDE} 2>/dev/null || true
systemctl restart kubelet
"""
