"""What a bundle for a lab holds, and the proof that a given one is enough, before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from modules.artifacts import needs
from modules.artifacts.needs import Demand
from modules.artifacts.source import Report
from modules.artifacts.sources import bundle
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact
from modules.base.errors import ArtifactError


def contents(demand: Demand, has: Callable[[Artifact], bool], *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """Everything a lab needs; an image as its archive where there is one, else as its parts.

    pulumi=False: a Pulumi that fits is on PATH, leave it out.
    """
    found = dict.fromkeys(needs.fixed(demand, pulumi=pulumi))
    for image in needs.images(demand):
        found.update(dict.fromkeys([image.artifact] if has(image.artifact) else needs.parts(image)))
    return tuple(found)


def require_enough(
    file: Path, demands: Sequence[Demand], store: Store, *, pulumi: bool = True, report: Report = bundle.quiet
) -> None:
    """Raise ArtifactError naming everything that this bundle lacks, or has damaged, of what the store lacks."""
    items = bundle.read_index(file)
    found = (contents(each, lambda a: a in items or store.has(a), pulumi=pulumi) for each in demands)
    wanted = tuple(dict.fromkeys(artifact for each in found for artifact in each))
    problems = bundle.prove(file, (a for a in wanted if not store.has(a)), report)
    if problems:
        versions = ", ".join(dict.fromkeys(each.kubernetes for each in demands))
        raise ArtifactError(
            f"the bundle does not serve for Kubernetes {versions}: {len(problems)} of {len(wanted)} artifacts",
            where=str(file),
            output="\n".join(f"{p.artifact.id} {p.what}" for p in problems),
            hint="write it again with `stacklab bundle -o FILE` for this version, or copy it again",
        )
