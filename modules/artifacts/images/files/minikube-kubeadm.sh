#!/bin/sh
# kubeadm as minikube calls it, with the image tags of what the lab is made of: minikube has no setting for them.
program=/opt/stacklab/kubernetes/@VERSION@/kubeadm
complete=/run/stacklab-kubeadm.yaml

before=
left=$#
while [ "$left" -gt 0 ]; do
  word=$1
  shift
  if [ "$before" = --config ]; then
    awk '
      { print }
      $0 == "kind: ClusterConfiguration" { print "dns:"; print "  imageTag: @COREDNS@" }
      $0 == "  local:" { print "    imageTag: @ETCD@" }
    ' "$word" >"$complete" || exit 1
    before=
    word=$complete
  else
    before=$word
  fi
  set -- "$@" "$word"
  left=$((left - 1))
done
exec "$program" "$@"
