#!/usr/bin/env bash
# The dev lab as a person makes it, one step after the other: kind, kubectl apply, kubectl wait, curl.
# Environment: ENGINE CLUSTER SUBNET GATEWAY CONFIG MANIFESTS KUBECONFIG INGRESS_HOST, and what kind needs of this host;
# MAKE_CLUSTER: a command in place of kind's.
set -euo pipefail

step() { printf '%s %s\n' "$(date +%s.%N)" "$1"; }
answers() { until curl --noproxy '*' -fsS -m 2 -o /dev/null "$@" 2>/dev/null; do sleep 0.1; done; }
address() { kubectl get service -n "$1" "$2" -o 'jsonpath={.status.loadBalancer.ingress[0].ip}'; }

step start
"$ENGINE" network create --subnet "$SUBNET" --gateway "$GATEWAY" "$CLUSTER" >/dev/null
if [ -n "${MAKE_CLUSTER:-}" ]; then
    sh -ec "$MAKE_CLUSTER" >/dev/null
else
    kind create cluster --name "$CLUSTER" --config "$CONFIG" --kubeconfig "$KUBECONFIG" --wait 0s >/dev/null
fi
step cluster
kubectl apply --server-side -f "$MANIFESTS/calico.yaml" >/dev/null
kubectl wait --for=condition=Ready nodes --all --timeout=180s >/dev/null
step calico
kubectl apply --server-side -f "$MANIFESTS/local-path.yaml" >/dev/null
kubectl apply --server-side -f "$MANIFESTS/metrics-server.yaml" >/dev/null
kubectl wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=180s >/dev/null
step metrics-server
kubectl apply --server-side -f "$MANIFESTS/metallb.yaml" >/dev/null
kubectl wait --for=condition=Available -n metallb-system deployment/controller --timeout=180s >/dev/null
kubectl rollout status -n metallb-system daemonset/speaker --timeout=180s >/dev/null
until kubectl apply --server-side -f "$MANIFESTS/metallb-after.yaml" >/dev/null 2>&1; do sleep 0.5; done
step metallb
kubectl apply --server-side -f "$MANIFESTS/traefik.yaml" >/dev/null
kubectl wait --for=condition=Available -n traefik deployment/traefik --timeout=180s >/dev/null
step traefik
kubectl apply --server-side -f "$MANIFESTS/app.yaml" >/dev/null
kubectl rollout status deployment/kubia --timeout=180s >/dev/null
until [ -n "$(address default kubia-lb)" ]; do sleep 0.1; done
until [ -n "$(address traefik traefik)" ]; do sleep 0.1; done
step app
until kubectl exec deployment/kubia -- /echo get --count 1 http://kubia >/dev/null 2>&1; do sleep 0.1; done
answers "http://$(kubectl get nodes -o 'jsonpath={.items[0].status.addresses[0].address}'):30080/"
answers "http://$(address default kubia-lb)/"
answers -H "Host: $INGRESS_HOST" "http://$(address traefik traefik)/"
step answering
