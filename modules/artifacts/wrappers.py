"""How the programs of each wrapper module in go/ are compiled: tags, linker flags, what is laid beside a main."""

from __future__ import annotations

from collections.abc import Mapping

from modules.artifacts import releases
from modules.artifacts.types import GoWrapper, Release

CONTAINERD = "github.com/containerd/containerd/v2"
CNI = "github.com/containernetworking/plugins"
PULUMI = "github.com/pulumi/pulumi/sdk/v3"
PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"
CALICO = "github.com/projectcalico/calico"
METALLB = "go.universe.tf/metallb"
TRAEFIK = "github.com/traefik/traefik/v3"
FLANNEL = "github.com/flannel-io/flannel"
FLANNEL_CNI = "github.com/containernetworking/plugins"
MINIKUBE = "k8s.io/minikube"
ECHO = "modules/apps/echo"

# The last version of the plugins that still held flannel's; its own repository's module is not to be had.
FLANNEL_PLUGIN = "0.9.1"

# The last sdk/v3 whose Python language host is to be had as a module; it serves newer command lines too.
LANGUAGE_HOST = "3.76.0"


def _kubernetes(release: Release) -> GoWrapper:
    major, minor, _ = release.version.split(".")
    values = {"gitVersion": f"v{release.version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return GoWrapper(release.wrapper, ldflags=tuple(f"-X {p}.{k}={v}" for p in packages for k, v in values.items()))


WRAPPERS: Mapping[str, GoWrapper] = {
    wrapper.name: wrapper
    for wrapper in (
        *(_kubernetes(release) for release in releases.KUBERNETES.values()),
        GoWrapper("kind"),
        GoWrapper("minikube", ldflags=(f"-X {MINIKUBE}/pkg/version.version=v{releases.MINIKUBE}",)),
        GoWrapper(
            "containerd",
            tags=("no_aufs", "no_zfs", "no_btrfs", "no_devmapper"),
            ldflags=(f"-X {CONTAINERD}/version.Version=v{releases.CONTAINERD}",),
        ),
        GoWrapper("cni", ldflags=(f"-X {CNI}/pkg/utils/buildversion.BuildVersion=v{releases.CNI}",)),
        GoWrapper("crictl", ldflags=(f"-X sigs.k8s.io/cri-tools/pkg/version.Version=v{releases.NEWEST.crictl}",)),
        GoWrapper("etcd"),
        GoWrapper("pulumi", ldflags=(f"-X {PULUMI}/go/common/version.Version={releases.PULUMI}",)),
        GoWrapper("pulumi-python", ldflags=(f"-X {PULUMI}/go/common/version.Version={LANGUAGE_HOST}",)),
        GoWrapper(
            "pulumi-kubernetes",
            ldflags=(f"-X {PROVIDER}/pkg/version.Version={releases.PULUMI_KUBERNETES}",),
            lay={
                "schema.json": (PROVIDER, "cmd/pulumi-resource-kubernetes/schema.json"),
                "terraform-mapping.json": (PROVIDER, "cmd/pulumi-resource-kubernetes/terraform-mapping.json"),
            },
            stamp={"schema.json": releases.PULUMI_KUBERNETES},
        ),
        GoWrapper(
            "calico",
            ldflags=(
                f"-X {CALICO}/node/pkg/lifecycle/startup.VERSION=v{releases.CALICO}",
                f"-X {CALICO}/node/buildinfo.GitVersion=v{releases.CALICO}",
                f"-X main.VERSION=v{releases.CALICO}",
            ),
        ),
        # CoreDNS, metrics-server and local-path-provisioner agree on the Kubernetes libraries of the newest release.
        GoWrapper(
            "addons",
            ldflags=(
                f"-X k8s.io/client-go/pkg/version.gitVersion=v{releases.METRICS_SERVER}",
                f"-X main.VERSION=v{releases.LOCAL_PATH}",
            ),
        ),
        GoWrapper("metallb"),
        GoWrapper(
            "traefik",
            ldflags=(
                f"-X {TRAEFIK}/pkg/version.Version={releases.TRAEFIK}",
                f"-X {TRAEFIK}/pkg/version.Codename=stacklab",
            ),
        ),
        GoWrapper(
            "flannel", tags=("netgo",), ldflags=(f"-X {FLANNEL}/pkg/version.Version=v{releases.FLANNEL}",), cgo=True
        ),
        GoWrapper(
            "flannel-cni", ldflags=(f"-X {FLANNEL_CNI}/pkg/utils/buildversion.BuildVersion=v{releases.FLANNEL_CNI}",)
        ),
        GoWrapper("pause"),
        GoWrapper("echo", source=ECHO),
    )
}
