"""What a backend asks of the machines, and what it cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from modules.topology.address import count, listed
from modules.topology.mirrors import effective
from modules.topology.model import LabSpec
from modules.topology.problem import NOTHING, Path, Problem, listing, nearest
from modules.topology.values import format_size, parse_size

BACKEND: Path = ("backend",)
LOCAL = ("kind", "minikube")
# Drivers of minikube that cannot keep what a stack file promises, why, and what does the same (docs/decisions).
NO_DRIVER: Mapping[str, tuple[str, str]] = {
    "kvm2": ("lets DHCP choose its machines' addresses and downloads their disk", "libvirt"),
    "ssh": ("takes one machine, renames it, and leaves on it what it put there", "ssh"),
    "none": ("has one profile named minikube on a host, and removes /var/lib/minikube whoever made it", "ssh"),
}
_MASTER: tuple[tuple[str, int, Callable[[int], object]], ...] = (
    ("cpus", 2, int),
    ("memory", parse_size("1700MiB"), format_size),
)


def check(spec: LabSpec) -> Iterator[Problem]:
    if spec.backend in LOCAL:
        yield from _local(spec)
        if spec.backend == "minikube":
            yield from _minikube(spec)
    else:
        yield from _bare(spec)
    if spec.backend == "libvirt":
        yield from _libvirt(spec)
    yield from _names(spec)
    yield from _etcd(spec)


def _local(spec: LabSpec) -> Iterator[Problem]:
    for path, machine in listed(spec):
        if machine.name is not None:
            yield Problem(
                (*path, "name"),
                f"{spec.backend} names its machines itself",
                machine.name,
                "no name here; or the backend libvirt or ssh",
                rests_on=(BACKEND,),
            )
        if machine.address is not None and spec.backend == "minikube":
            yield Problem(
                (*path, "address"),
                "minikube gives its machines addresses itself",
                machine.address,
                "no address here; network.machines is honoured",
                rests_on=(BACKEND,),
            )
    if spec.etcd != "stacked":
        yield Problem(
            ("etcd",),
            f"{spec.backend} runs etcd on the masters only",
            spec.etcd,
            "stacked; a list of machines needs the backend libvirt or ssh",
            "stacked",
            rests_on=(BACKEND,),
        )
    if spec.network.endpoint is not None:
        yield Problem(
            ("network", "endpoint"),
            f"{spec.backend} puts its own load balancer in front of several masters",
            f"vip:{spec.network.endpoint}",
            "none; a virtual address needs the backend libvirt or ssh",
            "none",
            rests_on=(BACKEND,),
        )


def _minikube(spec: LabSpec) -> Iterator[Problem]:
    masters = count(spec.masters)
    if masters == 2:
        yield Problem(
            ("masters",),
            "minikube makes one master or at least three",
            masters if isinstance(spec.masters, int) else f"a list of {masters}",
            "1, or 3 and more; two masters keep going without one no better than one does",
            "3",
            rests_on=(BACKEND,),
        )

    driver = spec.minikube.driver
    if driver in NO_DRIVER:
        why, instead = NO_DRIVER[driver]
        yield Problem(
            ("minikube", "driver"),
            f"minikube's driver {driver} {why}",
            driver,
            f"auto, docker or podman; backend: {instead} makes such a lab",
            "auto",
            rests_on=(BACKEND,),
        )

    yield from _image(spec)


def _image(spec: LabSpec) -> Iterator[Problem]:
    image, runtime = spec.minikube.image, spec.minikube.runtime
    rests: tuple[Path, ...] = (BACKEND, ("minikube", "image"), ("minikube", "runtime"))
    if image == "own" and runtime != "containerd":
        yield Problem(
            ("minikube", "runtime"),
            "the machines' image that is put together here has containerd and nothing else",
            runtime,
            "containerd; or image: official beside it, on a host that reaches gcr.io",
            "containerd",
            rests_on=rests,
        )
    if image == "official" and spec.sources not in ("auto", "upstream"):
        yield Problem(
            ("minikube", "image"),
            f"minikube's official image comes from its publisher's registry, and sources is {spec.sources}",
            image,
            "own; or sources: auto or upstream",
            "own",
            rests_on=(*rests, ("sources",)),
        )
    # minikube tells docker of a mirror of docker.io and cri-o of none; containerd reads files that are ours.
    told = {"docker": {"docker.io"}, "cri-o": set()}.get(runtime)
    untold = sorted(set(effective(spec.mirrors).registries) - told) if told is not None else []
    if image == "official" and untold:
        yield Problem(
            ("minikube", "runtime"),
            f"{runtime} on minikube cannot be told of mirrors for {listing(untold, 'and')}",
            runtime,
            "containerd; or mirrors without them",
            "containerd",
            rests_on=(*rests, ("mirrors",)),
        )


def _bare(spec: LabSpec) -> Iterator[Problem]:
    if spec.backend == "ssh":
        for key, machines in (("masters", spec.masters), ("workers", spec.workers)):
            if isinstance(machines, int) and machines:
                yield Problem(
                    (key,),
                    "on ssh the machines exist already: each is listed with its name and address",
                    machines if key in spec.model_fields_set else NOTHING,
                    "a list of {name, address}",
                    f"{key}: [{{name: {key[:-1]}-1, address: 192.168.26.{21 if key == 'workers' else 11}}}]",
                    rests_on=(BACKEND,),
                )
    needed = ("name", "address") if spec.backend == "ssh" else ("name",)
    for path, machine in listed(spec):
        missing = [key for key in needed if getattr(machine, key) is None]
        if missing:
            yield Problem(
                path,
                f"on {spec.backend} a listed machine needs {listing(missing, 'and')}"
                + (", so that removing another one does not rename it" if spec.backend == "libvirt" else ""),
                machine.model_dump(mode="json", include=machine.model_fields_set),
                f"a mapping with {listing(needed, 'and')}",
                rests_on=(BACKEND,),
            )


def _libvirt(spec: LabSpec) -> Iterator[Problem]:
    written = [] if isinstance(spec.masters, int) else list(enumerate(spec.masters))
    for key, least, show in _MASTER:
        given: dict[Path, int] = {
            ("masters", i, key): getattr(m, key) for i, m in written if getattr(m, key) is not None
        }
        if len(given) < count(spec.masters):  # the others take the default
            given["machine", key] = getattr(spec.machine, key)
        for path, size in given.items():
            if size < least:
                what = f"kubeadm refuses a master with so little: {key}"
                yield Problem(path, what, show(size), f"at least {show(least)} for masters", rests_on=(BACKEND,))
    if spec.libvirt.image.startswith("http") and spec.libvirt.checksum is None:
        yield Problem(
            ("libvirt", "checksum"),
            "an image from a URL is only used when its checksum is known",
            allowed="sha256:<64 hex digits> or sha512:<128 hex digits>, as its publisher says",
            rests_on=(BACKEND, ("libvirt", "image")),
        )


def _names(spec: LabSpec) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for path, machine in listed(spec):
        if machine.name is None:
            continue
        if machine.name in first:
            yield Problem(
                (*path, "name"),
                "another machine has this name",
                machine.name,
                "a name for each machine",
                other=(*first[machine.name], "name"),
            )
        first.setdefault(machine.name, path)


def _etcd(spec: LabSpec) -> Iterator[Problem]:
    if spec.etcd == "stacked" or spec.backend in LOCAL:
        return
    names = [machine.name for _, machine in listed(spec) if machine.name]
    for key, machines in (("master", spec.masters), ("worker", spec.workers)):
        names += [f"{key}-{i + 1}" for i in range(machines)] if isinstance(machines, int) else []
    for index, name in enumerate(spec.etcd):
        around: tuple[Path, ...] = (BACKEND, ("masters",), ("workers",))
        if name not in names:
            yield Problem(
                ("etcd", index),
                "no machine of the lab has this name",
                name,
                listing(names) or "a machine of the lab",
                nearest(name, names),
                rests_on=around,
            )
        elif name in spec.etcd[:index]:
            yield Problem(("etcd", index), "this machine is named twice", name, "each machine once")
