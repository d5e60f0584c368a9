"""The way in for `stacklab fetch`: what a lab lacks, from the sources its stack file names, into the user's store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from modules.artifacts import catalogue, needs, wrappers
from modules.artifacts.fetch import JOBS, Rules, fetch
from modules.artifacts.images import rootfs
from modules.artifacts.needs import Demand
from modules.artifacts.packages.source import PackagesSource
from modules.artifacts.progress import Observer
from modules.artifacts.source import Limited, Source
from modules.artifacts.sources import order, survey
from modules.artifacts.sources.addresses import Mirrors
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, GoProgram, Kind
from modules.base import locks, paths
from modules.base.errors import ArtifactError

LOCK = "fetch.lock"
GIB = 1 << 30
PEAK = 20 * GIB  # below build/ when everything is compiled: 24 GiB with zips and debug information, which we leave out
KEPT = 4 * GIB


def supply(
    demands: Sequence[Demand],
    setting: str = "auto",
    mirrors: Mirrors | None = None,
    *,
    bundle: Path | None = None,
    observer: Observer | None = None,
    say: Callable[[str], None] = lambda line: None,
    jobs: int = JOBS,
    keep_build_cache: bool = False,
    pulumi: bool = True,
) -> None:
    """Fill the store with what these labs need. `say` hears which source is taken and why not another.

    pulumi=False: a Pulumi that fits is on PATH, leave it out.
    """
    cache = paths.cache()
    store = Store(cache)
    if not needs.wanted(demands, store, pulumi=pulumi):
        return
    # What is compiled for one is compiled for the other, and the build cache goes with the first that ends.
    with locks.alone(cache / LOCK, lambda: say("another command fills the artifact cache: waiting for it")):
        wanted = needs.wanted(demands, store, pulumi=pulumi)
        if not wanted:
            return
        packages = packages_source(cache)
        usable, lines = _usable(wanted, setting, mirrors or Mirrors(), bundle, store, packages)
        for line in lines:
            say(line)
        require_room(cache, [a for a in _parts(wanted) if not store.has(a)], compiled=_compiles(usable))
        rules = Rules(
            weight, lambda source, artifact: packages.lane(artifact) if source == packages.name else "", needs.instead
        )
        fetch(wanted, usable, store, observer, jobs, rules)
        if not keep_build_cache:
            packages.drop()
        store.tidy()


def packages_source(cache: Path) -> PackagesSource:
    return PackagesSource(catalogue.COMPONENTS, wrappers.WRAPPERS, cache / "build", rootfs.build)


def weight(artifact: Artifact) -> float:
    """Recorded seconds of making it; of an image those of downloading it: if that fails, its parts take its place."""
    line = catalogue.find(artifact)
    return line.seconds if line else 1.0


def ours(artifact: Artifact) -> bool:
    """What no publisher offers, whatever the setting: our own app, root file systems of Debian packages."""
    line = catalogue.find(artifact)
    recipe = line.recipe if line else None
    own = isinstance(recipe, GoProgram) and bool(wrappers.WRAPPERS[recipe.wrapper].source)
    return own or artifact.kind is Kind.ROOTFS


def require_room(cache: Path, artifacts: Sequence[Artifact], *, compiled: bool) -> None:
    """Raise ArtifactError when the disk cannot hold it: the share of the peak that these artifacts have."""
    whole = sum(line.seconds for line in catalogue.COMPONENTS.values())
    share = min(sum(weight(artifact) for artifact in artifacts) / whole, 1.0)
    wanted = int(KEPT * share + (PEAK * share if compiled else 0))
    at = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(at).free
    if free < wanted:
        raise ArtifactError(
            f"{wanted / GIB:.1f} GiB of free disk are needed, {free / GIB:.1f} GiB are free",
            where=str(at),
            hint="make room, or set STACKLAB_CACHE to a folder on a larger disk",
        )


def _parts(wanted: Iterable[Artifact]) -> tuple[Artifact, ...]:
    return tuple(dict.fromkeys(part for artifact in wanted for part in needs.instead(artifact) or (artifact,)))


def _compiles(usable: Sequence[Source]) -> bool:
    """Whether packages is the first that is asked, so that programs are compiled rather than downloaded."""
    return all(source.name in ("cache", "packages") for source in usable)


def _usable(
    wanted: Sequence[Artifact],
    setting: str,
    mirrors: Mirrors,
    bundle: Path | None,
    store: Store,
    packages: PackagesSource,
) -> tuple[tuple[Source, ...], list[str]]:
    ways = order.ways(store, packages, catalogue.find, wanted, work=store.root / "downloads")
    asked = survey.survey(order.order(setting, mirrors, ways, bundle))
    usable = asked.usable
    if setting == "upstream":
        asked.require()
        usable = (*usable, Limited(packages, ours))
    return usable, asked.lines()
