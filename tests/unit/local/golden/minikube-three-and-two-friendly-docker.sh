#!/bin/sh
# Made by stacklab for the lab dev: minikube finds it instead of docker.
engine=/usr/bin/docker

case "$1" in
run) ;;
volume)
    [ "$2" = create ] || exec "$engine" "$@"
    shift 2
    exec "$engine" volume create --label stacklab.owner=0011223344556677 --label stacklab.stack=dev --label 'stacklab.checkout=/home/a b/lab' "$@"
    ;;
*)
    exec "$engine" "$@"
    ;;
esac

name= before=
for word; do
    [ "$before" = --name ] && name=$word
    before=$word
done
shift
case "$name" in
stacklab-dev) address=10.201.7.11 cpus=4 memory=3221225472b role=master ;;
stacklab-dev-m02) address=10.201.7.12 cpus=4 memory=3221225472b role=master ;;
stacklab-dev-m03) address=10.201.7.13 cpus=4 memory=3221225472b role=master ;;
stacklab-dev-m04) address=10.201.7.21 cpus=2 memory=2147483648b role=worker ;;
stacklab-dev-m05) address=10.201.7.22 cpus=2 memory=2147483648b role=worker ;;
*) exec "$engine" run --label stacklab.owner=0011223344556677 --label stacklab.stack=dev --label 'stacklab.checkout=/home/a b/lab' "$@" ;;
esac

# The arguments are turned round once; what we say instead is left out.
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case "$word" in
    --ip)
        shift
        left=$((left - 1))
        continue
        ;;
    --cpus=*) word="--cpus=$cpus" ;;
    --memory=*) word="--memory=$memory" ;;
    --memory-swap=*) word="--memory-swap=$memory" ;;
    esac
    set -- "$@" "$word"
done
"$engine" run --ip "$address" --add-host control-plane.minikube.internal:10.201.7.11 --label stacklab.owner=0011223344556677 --label stacklab.stack=dev --label 'stacklab.checkout=/home/a b/lab' "$@" || exit
[ "$role" = master ] || exit 0
exec "$engine" exec "$name" sh -c 'mkdir -p /etc/kubernetes/manifests && ln -sfn /dev/null /etc/kubernetes/manifests/kube-vip.yaml'
