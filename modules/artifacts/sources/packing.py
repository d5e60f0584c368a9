"""What a bundle for a Kubernetes version holds, and the proof that a given one is enough, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from modules.artifacts import needs
from modules.artifacts.source import Report
from modules.artifacts.sources import bundle
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact
from modules.base.errors import ArtifactError


def contents(kubernetes: str, has: Callable[[Artifact], bool], *, pulumi: bool = True) -> tuple[Artifact, ...]:
    """Everything a lab of that version needs; an image as its archive where there is one, else as its parts.

    pulumi=False: a Pulumi that fits is on PATH, leave it out.
    """
    found = dict.fromkeys(needs.fixed(kubernetes, pulumi=pulumi))
    for image in needs.images(kubernetes):
        found.update(dict.fromkeys([image.artifact] if has(image.artifact) else needs.parts(image)))
    return tuple(found)


def require_enough(
    file: Path, kubernetes: str, store: Store, *, pulumi: bool = True, report: Report = bundle.quiet
) -> None:
    """Raise ArtifactError naming everything that this bundle lacks, or has damaged, of what the store lacks."""
    items = bundle.read_index(file)
    wanted = contents(kubernetes, lambda artifact: artifact in items or store.has(artifact), pulumi=pulumi)
    problems = bundle.prove(file, (a for a in wanted if not store.has(a)), report)
    if problems:
        raise ArtifactError(
            f"the bundle does not serve for Kubernetes {kubernetes}: {len(problems)} of {len(wanted)} artifacts",
            where=str(file),
            output="\n".join(f"{p.artifact.id} {p.what}" for p in problems),
            hint="write it again with `stacklab bundle -o FILE` for this version, or copy it again",
        )
