#!/bin/sh
# kubeadm as minikube calls it, with the image tags of what the lab is made of: minikube has no setting for them.
home=/opt/stacklab/kubernetes/@VERSION@
complete=/run/stacklab-kubeadm.yaml
keep=/run/stacklab-keep

# minikube takes away what it could not restart, with all data. A machine that is marked is only changed in place.
if [ -e "$keep" ]; then
  case "$1 $2" in
  reset* | init\ --*)
    echo "this machine is kept as it is ($keep)" >&2
    exit 1
    ;;
  esac
fi

# With mirrors minikube names another repository for Kubernetes' own images: those in the machine get such a name too.
repository=/etc/stacklab/image-repository
case "$1" in
init | join)
  if [ -s "$repository" ]; then
    for image in $(ctr --namespace k8s.io images ls --quiet | grep '^registry\.k8s\.io/'); do
      ctr --namespace k8s.io images tag --force "$image" "$(cat "$repository")/${image##*/}" >/dev/null || exit 1
    done
  fi
  ;;
esac

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

# kubeadm knows no way on from a CoreDNS that is newer than its own.
if [ "$1 $2 $3 $4" = "init phase addon all" ]; then
  kubectl() {
    "$home/kubectl" --kubeconfig=/etc/kubernetes/admin.conf --namespace=kube-system "$@"
  }
  if kubectl get deployment coredns >/dev/null 2>&1; then
    shift 4
    "$home/kubeadm" init phase addon kube-proxy "$@" || exit 1
    kubectl set image deployment/coredns "coredns=registry.k8s.io/coredns/coredns:@COREDNS@"
    exit
  fi
fi
exec "$home/kubeadm" "$@"
