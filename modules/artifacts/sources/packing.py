"""What a bundle for labs holds, and the proof that a given one is enough, before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts import catalogue, needs
from modules.artifacts.lock import Lock
from modules.artifacts.needs import Demand
from modules.artifacts.source import Report
from modules.artifacts.sources import bundle, reference
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact
from modules.base.errors import ArtifactError
from modules.topology.mirrors import COUNTRIES
from modules.topology.model import ECHO
from modules.topology.plan import LabPlan

UNKNOWN = "no digest known"


@dataclass(frozen=True)
class Lacking:
    """One line of what is missing: name, digest that is wanted, the stacks that need it, what is wrong."""

    name: str
    digest: str
    stacks: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        return f"{self.name}  {self.digest}  {', '.join(self.stacks)}: {self.what}"


def contents(demand: Demand, has: Callable[[Artifact], bool], *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """Everything a lab needs; an image as its archive where there is one, else as its parts.

    pulumi=False: a Pulumi that fits is on PATH, leave it out.
    """
    found = dict.fromkeys(needs.fixed(demand, pulumi=pulumi))
    for image in needs.images(demand):
        found.update(dict.fromkeys([image.artifact] if has(image.artifact) else needs.parts(image)))
    return tuple(found)


def needed_by(
    demands: Sequence[Demand], has: Callable[[Artifact], bool], *, pulumi: bool = True
) -> Mapping[Artifact, tuple[str, ...]]:
    """Everything that the labs need together, each thing once, with the stacks that need it."""
    found: dict[Artifact, dict[str, None]] = {}
    for demand in demands:
        for artifact in contents(demand, has, pulumi=pulumi):
            found.setdefault(artifact, {})[demand.stack] = None
    return {artifact: tuple(stacks) for artifact, stacks in found.items()}


def out_of_bundles(plan: LabPlan) -> tuple[Lacking, ...]:
    """What a lab takes from the network that no bundle can hold: images of apps, a machine's disk at an address."""
    found = []
    for app in plan.apps:
        if not _is_there(app.image, plan):
            what = f"app {app.name} runs it, and machines would pull it; only images of the catalogue are packed"
            found.append(Lacking(app.image, UNKNOWN, (plan.stack,), what))
    if plan.backend == "libvirt" and "://" in plan.libvirt.image:
        what = "libvirt.image is an address: bring the file along and name its path"
        found.append(Lacking(plan.libvirt.image, plan.libvirt.checksum or UNKNOWN, (plan.stack,), what))
    return tuple(dict.fromkeys(found))


def require_enough(
    file: Path, demands: Sequence[Demand], store: Store, *, pulumi: bool = True, report: Report = bundle.quiet
) -> None:
    """Raise ArtifactError naming everything that this bundle lacks, or has damaged, of what the store lacks."""
    items = bundle.read_index(file)
    wanted = needed_by(demands, lambda a: a in items or store.has(a), pulumi=pulumi)
    problems = bundle.prove(file, (a for a in wanted if not store.has(a)), report)
    lacking = [Lacking(p.artifact.id, p.digest or locked(p.artifact), wanted[p.artifact], p.what) for p in problems]
    refuse(lacking, len(wanted), file)


def refuse(lacking: Sequence[Lacking], count: int, file: Path) -> None:
    """Raise ArtifactError when anything is lacking, with all of it and what is to be done."""
    if not lacking:
        return
    stacks = " ".join(dict.fromkeys(name for each in lacking for name in each.stacks))
    written = ", ".join(bundle.stacks_of(file)) or "no stack"
    raise ArtifactError(
        f"the bundle does not serve: {len(lacking)} of {count} artifacts are missing or damaged",
        where=str(file),
        output="\n".join(map(str, lacking)),
        hint=f"it was written for {written}; write it again: stacklab bundle -o FILE {stacks}; or copy it again",
    )


def refuse_what_is_out(lacking: Sequence[Lacking]) -> None:
    """Raise ArtifactError for what no bundle can hold: without network such a lab would wait for it for good."""
    if lacking:
        raise ArtifactError(
            "the lab takes from the network what no bundle can hold",
            output="\n".join(map(str, lacking)),
            hint=f"use {ECHO}, or name a registry of your own that machines reach: mirrors.registries",
        )


def locked(artifact: Artifact, lock: Lock | None = None) -> str:
    """The digest that the lock file has for what a publisher offers; for what is made here nobody knows one before."""
    line = catalogue.find(artifact)
    url = line.upstream.at(artifact.version, reference.machine()).url if line and line.upstream else ""
    known = (lock or Lock()).get(url) if url else None
    return f"{known.value} ({url.rpartition('/')[2]})" if known else UNKNOWN


def _is_there(image: str, plan: LabPlan) -> bool:
    """Whether it is baked into every machine, or a registry of the user's own has it."""
    try:
        full = reference.parse(image)
    except ArtifactError:  # by digest: none of ours
        return False
    if str(full) in catalogue.IMAGES or image.removeprefix("docker.io/") == ECHO:
        return True
    country = COUNTRIES.get(plan.mirrors.country)
    mirror = plan.mirrors.registries.get(full.registry)
    return bool(mirror) and (country is None or country.registries.get(full.registry) != mirror)
