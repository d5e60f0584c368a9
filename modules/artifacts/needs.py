"""What labs need, as artifacts. An image counts whole or as the parts it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modules.artifacts import catalogue, image_table, releases
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Image, Kind, Release
from modules.topology.plan import LabPlan

PULUMI = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
PROVIDER = "pulumi-resource-kubernetes"
NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl", "containerd", "ctr", "containerd-shim-runc-v2", "crictl")
MACHINE_PROGRAMS = ("etcd", "etcdctl", "etcdutl")
MANIFESTS = ("calico", "metrics-server", "metallb", "local-path")
OPTIONAL_MANIFESTS = ("flannel",)
KIND, MINIKUBE = "kind", "minikube"
ROOTFS: Mapping[str, tuple[str, ...]] = {
    KIND: ("base", "node"), MINIKUBE: ("base", "minikube"), "libvirt": ("base", "machine"), "ssh": ("base",),
}  # fmt: skip


OWN_DISK = "debian-12"  # libvirt.image of the stack file, when it is the one that is built here


@dataclass(frozen=True)
class Demand:
    """What decides about a lab's artifacts: its Kubernetes version, its backend, its addons, and two more.

    balanced: on kind and minikube, several masters with a load balancer in front; own_disk: on libvirt, the machines'
    disk is built here; stack: whose demand it is, for messages.
    """

    kubernetes: str
    backend: str = KIND
    addons: tuple[str, ...] = ()
    balanced: bool = False
    own_disk: bool = True
    stack: str = field(default="", compare=False)

    @property
    def in_containers(self) -> bool:
        return self.backend in (KIND, MINIKUBE)


def of(plan: LabPlan) -> Demand:
    """What a lab demands."""
    masters = sum(machine.role == "master" for machine in plan.machines)
    return Demand(
        plan.kubernetes,
        plan.backend,
        tuple(plan.addons),
        balanced=plan.backend in (KIND, MINIKUBE) and masters > 1,
        own_disk=plan.libvirt.image == OWN_DISK,
        stack=plan.stack,
    )


def everything(
    versions: Sequence[str] = tuple(catalogue.KUBERNETES), backends: Iterable[str] = tuple(ROOTFS)
) -> tuple[Demand, ...]:
    """Every lab there can be, of these versions of Kubernetes on these backends."""
    addons = tuple(image_table.OPTIONAL)
    return tuple(
        Demand(version, backend, addons, balanced=True, stack="any lab") for version in versions for backend in backends
    )


def fixed(demand: Demand, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """All but the images: tools, the machines' programs, manifests, trees, root file systems.

    pulumi: with Pulumi's command line and Python host; not needed where a fitting one is on PATH.
    """
    row = catalogue.release(demand.kubernetes)
    found = [catalogue.component(name, Kind.BINARY).artifact for name in (*(PULUMI if pulumi else ()), PROVIDER)]
    found += [_program(name, row) for name in NODE_PROGRAMS]
    found += [Artifact("cni-plugins", row.cni, Kind.TREE)]
    if demand.backend == KIND:
        found += [Artifact("kind", row.kind, Kind.BINARY), Artifact("kind-node-files", row.kind, Kind.TREE)]
    elif demand.backend == MINIKUBE:
        found += [Artifact("minikube", releases.MINIKUBE, Kind.BINARY)]
        found += [Artifact("kicbase-files", releases.MINIKUBE, Kind.TREE)]
    else:
        found += [_program(name, row) for name in MACHINE_PROGRAMS]
        found += [catalogue.component("calico-cni", Kind.BINARY).artifact]
    manifests = (*MANIFESTS, *(name for name in OPTIONAL_MANIFESTS if name in demand.addons))
    found += [catalogue.component(name, Kind.MANIFEST).artifact for name in manifests]
    found += [catalogue.rootfs(name) for name in ROOTFS[demand.backend] if name != "machine" or demand.own_disk]
    return tuple(found)


def images(demand: Demand) -> tuple[Image, ...]:
    balancer = (image_table.load_balancer(),) if demand.balanced else ()
    return (*catalogue.images(demand.kubernetes, demand.addons), *balancer)


def parts(image: Image) -> tuple[Artifact, ...]:
    """What an image is put together from: its base and its files."""
    base = () if image.base == image_table.SCRATCH else (catalogue.rootfs(image.base),)
    return (*base, *dict.fromkeys(part.artifact for part in image.files.values()))


def instead(artifact: Artifact) -> tuple[Artifact, ...]:
    """The parts of an image that is not to be had whole."""
    image = catalogue.IMAGES.get(f"{artifact.name}:{artifact.version}")
    return parts(image) if image and artifact.kind is Kind.IMAGE else ()


def needed(demand: Demand, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """Everything, images as parts."""
    return _unique([*fixed(demand, pulumi=pulumi), *(part for image in images(demand) for part in parts(image))])


def missing(demand: Demand, store: Store, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """What of it is not in the store; an image that is there whole needs no parts."""
    lacking = [part for image in images(demand) if not store.has(image.artifact) for part in parts(image)]
    return tuple(artifact for artifact in _unique([*fixed(demand, pulumi=pulumi), *lacking]) if not store.has(artifact))


def wanted(demands: Iterable[Demand], store: Store, *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """What to fetch: images whole, unless all their parts are there."""
    found: dict[Artifact, None] = {}
    for demand in demands:
        whole = [image.artifact for image in images(demand) if not all(store.has(part) for part in parts(image))]
        found.update(dict.fromkeys(a for a in (*fixed(demand, pulumi=pulumi), *whole) if not store.has(a)))
    return tuple(found)


def _program(name: str, row: Release) -> Artifact:
    versions = {"containerd": row.containerd, "ctr": row.containerd, "containerd-shim-runc-v2": row.containerd}
    versions |= {"crictl": row.crictl, "etcd": row.etcd, "etcdctl": row.etcd, "etcdutl": row.etcd}
    return Artifact(name, versions.get(name, row.version), Kind.BINARY)


def _unique(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    return tuple(dict.fromkeys(artifacts))
