"""The Kubernetes versions a lab can have, newest first, and the versions of everything else: bumped here, only here.

A version counts when its wrapper module in go/ builds, so a new one comes with its go.mod and go.sum.
"""

from __future__ import annotations

from collections.abc import Mapping

from modules.artifacts.types import Release

KIND = "0.33.0"
MINIKUBE = "1.38.1"
CONTAINERD = "2.4.2"
CNI = "1.9.1"
PULUMI = "3.250.0"
PULUMI_KUBERNETES = "4.18.1"
CALICO = "3.28.5"
METRICS_SERVER = "0.9.0"
METALLB = "0.15.2"
TRAEFIK = "3.6.12"
LOCAL_PATH = "0.0.30"
FLANNEL = "0.26.7"
FLANNEL_CNI = "1.6.2-flannel1"
ENVOY = "1.36.2"


KUBERNETES: Mapping[str, Release] = {
    release.version: release
    for release in (
        Release(
            version="1.36.3",
            etcd="3.6.16",
            coredns="1.14.7",
            pause="3.10.2",
            containerd=CONTAINERD,
            cni=CNI,
            crictl="1.36.0",
            kind=KIND,
            wrapper="kubernetes-1.36.3",
        ),
        # What a lab is upgraded from. kubeadm takes a newer etcd and CoreDNS by its configuration; pause is its own.
        Release(
            version="1.35.4",
            etcd="3.6.16",
            coredns="1.14.7",
            pause="3.10.1",
            containerd=CONTAINERD,
            cni=CNI,
            crictl="1.36.0",
            kind=KIND,
            wrapper="kubernetes-1.35.4",
        ),
    )
}
NEWEST = next(iter(KUBERNETES.values()))
