"""The container images a lab runs, under the names that upstream manifests use, and what they are put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from modules.artifacts import releases
from modules.artifacts.binaries import binary, echo_version
from modules.artifacts.files import METRICS_SERVER_IMAGE, rootfs
from modules.artifacts.types import Artifact, Image, Kind, Part, Release

BASE = "base"
SCRATCH = "scratch"


def of_release(release: Release) -> Iterator[Image]:
    """The control plane's."""
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
        path = f"/usr/local/bin/{name}"
        yield Image(
            f"registry.k8s.io/{name}",
            f"v{release.version}",
            {path: Part(binary(name, release.version))},
            entrypoint=() if name == "kube-proxy" else (path,),
            base=BASE if name == "kube-proxy" else "scratch",
        )
    etcd = {f"/usr/local/bin/{name}": Part(binary(name, release.etcd)) for name in ("etcd", "etcdctl")}
    yield Image("registry.k8s.io/etcd", release.etcd_tag, etcd, ())
    coredns = {"/coredns": Part(binary("coredns", release.coredns))}
    yield Image("registry.k8s.io/coredns/coredns", release.coredns_tag, coredns, ("/coredns",))
    pause = {"/pause": Part(binary("pause", release.pause))}
    yield Image("registry.k8s.io/pause", release.pause, pause, ("/pause",), user="65535:65535")


def of_addons(release: Release) -> Iterator[Image]:
    yield from _calico(release)
    server = {"/metrics-server": Part(binary("metrics-server", releases.METRICS_SERVER))}
    tag = f"v{releases.METRICS_SERVER}"
    yield Image(METRICS_SERVER_IMAGE, tag, server, ("/metrics-server",), user="65534")
    for name in ("controller", "speaker"):
        files = {f"/{name}": Part(binary(f"metallb-{name}", releases.METALLB))}
        yield Image(f"quay.io/metallb/{name}", f"v{releases.METALLB}", files, (f"/{name}",))
    traefik = {"/usr/local/bin/traefik": Part(binary("traefik", releases.TRAEFIK))}
    yield Image("docker.io/library/traefik", f"v{releases.TRAEFIK}", traefik, ("/usr/local/bin/traefik",))
    local = {"/usr/bin/local-path-provisioner": Part(binary("local-path-provisioner", releases.LOCAL_PATH))}
    yield Image(
        "docker.io/rancher/local-path-provisioner",
        f"v{releases.LOCAL_PATH}",
        local,
        (),
        command=("local-path-provisioner",),
    )
    yield Image(
        "docker.io/stacklab/helper",
        rootfs(BASE).artifact.version,
        {},
        (),
        base=BASE,
        command=("/bin/sh",),
        upstream=False,
    )
    echo = echo_version()
    files = {"/echo": Part(binary("echo", echo))}
    yield Image("docker.io/stacklab/echo", echo, files, ("/echo",), user="65534:65534", upstream=False)


def of_optional(addon: str) -> Iterator[Image]:
    """Those of an addon that few labs have: they are made and baked in only for a lab that names it."""
    yield from OPTIONAL[addon]()


def _flannel() -> Iterator[Image]:
    # Both copy files when they start, so both have a base; it is the one that others have too.
    flanneld = {"/opt/bin/flanneld": Part(binary("flanneld", releases.FLANNEL))}
    yield Image("ghcr.io/flannel-io/flannel", f"v{releases.FLANNEL}", flanneld, ("/opt/bin/flanneld",), base=BASE)
    plugin = {"/flannel": Part(binary("flannel-cni", releases.FLANNEL_CNI))}
    yield Image("ghcr.io/flannel-io/flannel-cni-plugin", f"v{releases.FLANNEL_CNI}", plugin, (), base=BASE)


OPTIONAL: Mapping[str, Callable[[], Iterator[Image]]] = {"flannel": _flannel}


def _calico(release: Release) -> Iterator[Image]:
    tag = f"v{releases.CALICO}"
    tree = Artifact("calico-node-filesystem", releases.CALICO, Kind.TREE)
    yield Image(
        "docker.io/calico/node",
        tag,
        {
            "/etc": Part(tree, "etc"),
            "/usr/sbin": Part(tree, "sbin"),
            "/usr/bin/calico-node": Part(binary("calico-node", releases.CALICO)),
            "/usr/bin/mountns": Part(binary("calico-mountns", releases.CALICO)),
        },
        (),
        base=BASE,
        command=("start_runit",),
        env={"SVDIR": "/etc/service/enabled"},
    )
    plugin, plugins = Part(binary("calico-cni", releases.CALICO)), Artifact("cni-plugins", release.cni, Kind.TREE)
    shared = ("bandwidth", "host-local", "loopback", "portmap", "tuning")
    yield Image(
        "docker.io/calico/cni",
        tag,
        {
            "/opt/cni/bin/calico": plugin,
            "/opt/cni/bin/calico-ipam": plugin,
            "/opt/cni/bin/install": Part(binary("calico-cni-install", releases.CALICO)),
            **{f"/opt/cni/bin/{name}": Part(plugins, name) for name in shared},
        },
        (),
        env={"PATH": "/opt/cni/bin"},
    )
    yield Image(
        "docker.io/calico/kube-controllers",
        tag,
        {
            "/usr/bin/kube-controllers": Part(binary("calico-kube-controllers", releases.CALICO)),
            "/usr/bin/check-status": Part(binary("calico-check-status", releases.CALICO)),
        },
        ("/usr/bin/kube-controllers",),
    )


def load_balancer() -> Image:
    """What kind puts in front of several masters; it runs `bash -c`, so it has a base."""
    files = {"/usr/local/bin/envoy": Part(binary("envoy", releases.ENVOY))}
    return Image("docker.io/envoyproxy/envoy", f"v{releases.ENVOY}", files, (), base=BASE)
