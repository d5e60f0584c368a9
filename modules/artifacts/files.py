"""Manifests, trees and root file systems of the catalogue: what is not a program."""

from __future__ import annotations

from collections.abc import Iterator

from modules.artifacts import releases, rootfs_table, wrappers
from modules.artifacts.binaries import GITHUB
from modules.artifacts.types import Artifact, Component, DebianRootfs, Kind, ModuleFiles, Release, Upstream

RAW = "https://raw.githubusercontent.com"
METRICS_SERVER_IMAGE = "registry.k8s.io/metrics-server/metrics-server"
ROOTFS = tuple(rootfs_table.RECIPES)
KIND_SCRIPTS = ("usr/local/bin/*", "kind/bin/*")
KICBASE_SCRIPTS = ("entrypoint", "automount/minikube-automount", "scheduled-stop/minikube-scheduled-stop")
CALICO_SCRIPTS = ("sbin/*", "etc/rc.local", "etc/service/*/*/run", "etc/service/*/*/log/run")


def manifests() -> Iterator[Component]:
    """Publishers give no checksum file for these: go.sum holds the module's, the lock file what was first seen."""

    def line(name: str, version: str, recipe: ModuleFiles, url: str) -> Component:
        return Component(Artifact(name, version, Kind.MANIFEST), recipe, Upstream(url, ""))

    path = "manifests/calico-vxlan.yaml"
    files = ModuleFiles("calico", wrappers.CALICO, path)
    yield line("calico", releases.CALICO, files, f"{RAW}/projectcalico/calico/v{{version}}/{path}")
    path = "config/manifests/metallb-native.yaml"
    files = ModuleFiles("metallb", wrappers.METALLB, path)
    yield line("metallb", releases.METALLB, files, f"{RAW}/metallb/metallb/v{{version}}/{path}")
    path = "Documentation/kube-flannel.yml"
    files = ModuleFiles("flannel", wrappers.FLANNEL, path)
    yield line("flannel", releases.FLANNEL, files, f"{RAW}/flannel-io/flannel/v{{version}}/{path}")
    path = "deploy/local-path-storage.yaml"
    files = ModuleFiles("addons", "github.com/rancher/local-path-provisioner", path)
    url = f"{RAW}/rancher/local-path-provisioner/v{{version}}/{path}"
    yield line("local-path", releases.LOCAL_PATH, files, url)
    image = f"{METRICS_SERVER_IMAGE}:v{releases.METRICS_SERVER}"
    files = ModuleFiles(
        "addons",
        "sigs.k8s.io/metrics-server",
        "manifests/base",
        base=True,
        images={"gcr.io/k8s-staging-metrics-server/metrics-server": image},
    )
    url = f"{GITHUB}/kubernetes-sigs/metrics-server/releases/download/v{{version}}/components.yaml"
    yield line("metrics-server", releases.METRICS_SERVER, files, url)


def trees(release: Release) -> Iterator[Component]:
    archive = f"{GITHUB}/kubernetes-sigs/kind/archive/refs/tags/v{{version}}.tar.gz"
    yield Component(
        Artifact("kind-node-files", release.kind, Kind.TREE),
        ModuleFiles("kind", "sigs.k8s.io/kind", "images/base/files", KIND_SCRIPTS),
        Upstream(archive, "", "kind-{version}/images/base/files"),
    )
    archive = f"{GITHUB}/projectcalico/calico/archive/refs/tags/v{{version}}.tar.gz"
    yield Component(
        Artifact("calico-node-filesystem", releases.CALICO, Kind.TREE),
        ModuleFiles("calico", wrappers.CALICO, "node/filesystem", CALICO_SCRIPTS),
        Upstream(archive, "", "calico-{version}/node/filesystem"),
    )


def of_minikube() -> Iterator[Component]:
    """What minikube's own base image has besides packages."""
    archive = f"{GITHUB}/kubernetes/minikube/archive/refs/tags/v{{version}}.tar.gz"
    yield Component(
        Artifact("kicbase-files", releases.MINIKUBE, Kind.TREE),
        ModuleFiles("minikube", wrappers.MINIKUBE, "deploy/kicbase", KICBASE_SCRIPTS),
        Upstream(archive, "", "minikube-{version}/deploy/kicbase"),
    )


def rootfs(name: str) -> Component:
    """Its version is the text that says what it is made of."""
    seconds = {"machine": 100}.get(name, 45)
    return Component(Artifact(name, rootfs_table.version(name), Kind.ROOTFS), DebianRootfs(name), seconds=seconds)
