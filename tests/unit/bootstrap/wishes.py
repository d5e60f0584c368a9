"""What the tests of the steps wish for, and small files that stand for programs and archives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from modules.artifacts.machine.payload import CNI, PROGRAMS, ImageRef, Payload, folder
from modules.bootstrap.steps import Wish

ENTRIES = (
    ("192.168.26.21", ("vms21.rhce.cc", "vms21")),
    ("192.168.26.22", ("vms22.rhce.cc", "vms22")),
    ("192.168.26.21", ("api.stacklab-cka.internal",)),
)


def payload(root: Path) -> Payload:
    """Files of three bytes, made below `root`."""
    programs = (*(f"{folder('1.36.3')}/{n}" for n in ("kubeadm", "kubelet", "kubectl")), f"{PROGRAMS}/containerd")
    programs = (*programs, f"{PROGRAMS}/crictl")
    files = {path: root / path.rpartition("/")[2] for path in programs}
    (root / "cni").mkdir(parents=True, exist_ok=True)
    for file in (*files.values(), root / "cni" / "bridge", root / "calico", root / "a.tar", root / "b.tar"):
        file.write_text("abc")
    return Payload(
        kubernetes="1.36.3",
        pause="registry.k8s.io/pause:3.10.2",
        binaries=files,
        links={},
        cni=root / "cni",
        extra_cni={f"{CNI}/calico": root / "calico"},
        etcd={},
        images=(
            ImageRef("registry.k8s.io/kube-proxy:v1.36.3", root / "a.tar"),
            ImageRef("registry.k8s.io/kube-apiserver:v1.36.3", root / "b.tar", masters=True),
        ),
    )


def wish(root: Path, **changed: object) -> Wish:
    """A worker of the cka stack unless said otherwise."""
    plain = Wish("cka", "vms22.rhce.cc", "worker", ENTRIES, payload(root), "10.244.0.0/16")
    return replace(plain, **changed)  # type: ignore[arg-type]
