#!/bin/sh
# Runs first in a machine of minikube: settles what depends on this host and minikube has no setting for.
settings=/etc/stacklab/kubelet.d/10-host.conf
mkdir -p "${settings%/*}"
{
  echo 'apiVersion: kubelet.config.k8s.io/v1beta1'
  echo 'kind: KubeletConfiguration'
  # cgroup v1: the kubelet does not start on it unless it is told to.
  [ -f /sys/fs/cgroup/cgroup.controllers ] || echo 'failCgroupV1: false'
} >"$settings"

# A host that lets nobody lower an OOM score: containerd keeps to what is allowed, the kubelet goes on without.
# minikube sets the containerd option by a pattern that wants blanks around the equals sign.
if ! (echo -999 >/proc/self/oom_score_adj) 2>/dev/null; then
  sed -i 's/^\( *restrict_oom_score_adj\) *=.*/\1=true/' /etc/containerd/config.toml
  printf '%s\n' 'featureGates:' '  KubeletInUserNamespace: true' >>"$settings"
fi

ssh-keygen -A >/dev/null
exec /usr/local/bin/stacklab-entrypoint "$@"
