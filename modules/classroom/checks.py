"""What can only be judged across the keys of a class file. Pure; each check yields its problems, none stops another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from modules.classroom import labs
from modules.classroom.model import ClassSpec
from modules.topology.model import LabSpec
from modules.topology.problem import Path, Problem, nearest

ONLY_HERE = ("kind", "minikube")


def roster(ids: Sequence[str], places: Sequence[Path], lines: Sequence[int | None]) -> Iterator[Problem]:
    """Each id once; `places` and `lines` say where each student stands."""
    seen: dict[str, int] = {}
    for index, one in enumerate(ids):
        first = seen.setdefault(one, index)
        if first != index:
            yield Problem(
                (*places[index], "id"),
                "another student has this id",
                one,
                "each id once",
                other=(*places[first], "id"),
                line=lines[index],
                other_line=lines[first],
            )


def across(spec: ClassSpec, template: LabSpec | None) -> Iterator[Problem]:
    """Everything but the roster itself."""
    yield from _overrides(spec)
    yield from _hosts(spec, template)
    yield from _addresses(spec, template)
    if "shared" in spec.model_fields_set and spec.tenancy == "cluster":
        what = "with tenancy cluster nothing is shared"
        yield Problem(
            ("shared",), what, spec.shared.stack, "tenancy: namespace, or no such key", rests_on=(("tenancy",),)
        )
    if template is not None and template.backend == "ssh" and spec.tenancy == "cluster":
        yield Problem(
            ("template",),
            "machines that exist already cannot be given to every student",
            f"{spec.template}, on ssh",
            "a template on kind, minikube or libvirt; or tenancy: namespace",
            rests_on=(("tenancy",),),
        )


def _overrides(spec: ClassSpec) -> Iterator[Problem]:
    ids = {student.id: None for student in spec.students}
    for one in spec.overrides:
        if one not in ids:
            what = "there is no such student in the roster"
            yield Problem(("overrides", one), what, one, "", nearest(one, ids), rests_on=(("roster",),))


def _hosts(spec: ClassSpec, template: LabSpec | None) -> Iterator[Problem]:
    names: dict[str, Path] = {}
    uris: dict[str, Path] = {}
    for index, host in enumerate(spec.hosts):
        for seen, key, value in ((names, "name", host.name), (uris, "uri", host.uri)):
            path: Path = ("hosts", index, key)
            if value in seen:
                yield Problem(path, f"another host has this {key}", value, "each once", other=seen[value])
            seen.setdefault(value, path)
        if host.uri == "local" or template is None:
            continue
        path = ("hosts", index, "uri")
        if template.backend in ONLY_HERE:
            what = f"labs on {template.backend} are made on this machine only"
            yield Problem(path, what, host.uri, "local; or a template on libvirt", "local", rests_on=(("template",),))
            continue
        for key in ("memory", "cpus", "disk"):
            if getattr(host, key) is None:
                what = "what another host has must be told"
                yield Problem(
                    ("hosts", index, key), what, allowed="a value, such as 64GiB of memory, 16 cpus, 500GiB of disk"
                )


def _addresses(spec: ClassSpec, template: LabSpec | None) -> Iterator[Problem]:
    if spec.tenancy == "namespace":
        return
    have, need = labs.room(spec.addresses), len(spec.students)
    if spec.addresses.range.prefixlen > spec.addresses.each:
        what = f"a network of /{spec.addresses.each} does not fit into this range"
        allowed = f"a range of at most /{spec.addresses.each}"
        yield Problem(
            ("addresses", "range"), what, str(spec.addresses.range), allowed, rests_on=(("addresses", "each"),)
        )
    elif have < need:
        yield Problem(
            ("addresses", "range"),
            f"there are {have} networks of /{spec.addresses.each} in this range, and {need} students",
            str(spec.addresses.range),
            "a wider range, or smaller networks by addresses.each: 26",
            rests_on=(("addresses", "each"), ("roster",)),
        )
    if template is None:
        return
    ranges: Mapping[str, object] = {"pods": template.network.pods, "services": template.network.services}
    for key, taken in ranges.items():
        if spec.addresses.range.overlaps(template.network.pods if key == "pods" else template.network.services):
            yield Problem(
                ("addresses", "range"),
                f"this overlaps with the template's network.{key}, {taken}",
                str(spec.addresses.range),
                "a range that labs do not use inside",
                rests_on=(("template",),),
            )
