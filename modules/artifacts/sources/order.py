"""`sources:` of the stack file -> the sources in the order they are tried. One pure function and the parts it orders.

auto           cache, the bundle if one is given, the mirror if one is set, upstream, packages
upstream       cache, the mirror if one is set, upstream
packages       cache, packages
bundle:<file>  cache, the bundle: no network at all
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts.lock import Lock
from modules.artifacts.source import Source
from modules.artifacts.sources.addresses import Mirrors, Publishers
from modules.artifacts.sources.bundle import BundleSource
from modules.artifacts.sources.cache import CacheSource, Shelf
from modules.artifacts.sources.client import open_client
from modules.artifacts.sources.published import PublishedSource
from modules.artifacts.types import Artifact, Component
from modules.base.errors import ArtifactError

BUNDLE = "bundle:"


@dataclass(frozen=True)
class Ways:
    """Every way there is; those that need a setting are made of it."""

    cache: Source
    upstream: Source
    packages: Source
    mirror: Callable[[Mirrors], Source]
    bundle: Callable[[Path], Source] = BundleSource


def order(setting: str, mirrors: Mirrors, ways: Ways, bundle: Path | None = None) -> tuple[Source, ...]:
    """The sources of a setting, first to last; `bundle` is a file that `auto` should look into too."""
    if setting.startswith(BUNDLE):
        return ways.cache, ways.bundle(Path(setting.removeprefix(BUNDLE)).expanduser())
    mirror = (ways.mirror(mirrors),) if mirrors else ()
    if setting == "auto":
        file = (ways.bundle(bundle),) if bundle else ()
        return ways.cache, *file, *mirror, ways.upstream, ways.packages
    if setting == "upstream":
        return ways.cache, *mirror, ways.upstream
    if setting == "packages":
        return ways.cache, ways.packages
    raise ArtifactError(
        f"sources: {setting!r} is not known", hint="write auto, upstream, packages or bundle:<file> in the stack file"
    )


def ways(
    store: Shelf,
    packages: Source,
    find: Callable[[Artifact], Component | None],
    wanted: Iterable[Artifact],
    *,
    work: Path,
    lock: Lock | None = None,
) -> Ways:
    """The real ways: `find` is the catalogue, `wanted` what will be asked for, `work` keeps unfinished downloads."""
    client, needed, held = open_client(), tuple(wanted), lock or Lock()

    def published(name: str, addresses: Publishers | Mirrors) -> Source:
        return PublishedSource(name, addresses, find=find, wanted=needed, lock=held, work=work, client=client)

    return Ways(
        cache=CacheSource(store),
        upstream=published("upstream", Publishers()),
        packages=packages,
        mirror=lambda mirrors: published("mirror", mirrors),
    )
