#!/bin/sh
# Made by stacklab for the lab dev: kind finds it instead of podman and gets fixed addresses and our labels.
engine=/usr/bin/podman

case "$1" in
run)
    [ "$2" = --name ] || exec "$engine" "$@"
    name=$3
    case "$name" in
    stacklab-dev-control-plane) address=10.201.7.11 ;;
    stacklab-dev-control-plane2) address=10.201.7.12 ;;
    stacklab-dev-control-plane3) address=10.201.7.13 ;;
    stacklab-dev-worker) address=10.201.7.21 ;;
    stacklab-dev-external-load-balancer) address=10.201.7.10 ;;
    *) exec "$engine" "$@" ;;
    esac
    shift 3
    left=$#
    while [ "$left" -gt 0 ]; do
        word=$1
        shift
        [ "$word" = /lib/modules:/lib/modules:ro ] && word=/cache/host/modules:/lib/modules:ro
        set -- "$@" "$word"
        left=$((left - 1))
    done
    exec "$engine" run --name "$name" --ip "$address" --label stacklab.owner=0011223344556677 --label stacklab.stack=dev --label 'stacklab.checkout=/home/a b/lab' "$@"
    ;;
volume)
    [ "$2" = create ] && [ "$3" = --label ] || exec "$engine" "$@"
    exec "$engine" volume create --label stacklab.owner=0011223344556677 --label stacklab.stack=dev --label 'stacklab.checkout=/home/a b/lab' --label "$4" "${4%=true}-var"
    ;;
*)
    exec "$engine" "$@"
    ;;
esac
