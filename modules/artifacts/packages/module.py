"""Files out of a Go module (its zip has no executable bits, go.sum vouches for it); kustomize bases as one text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from modules.artifacts.packages.go import Go
from modules.artifacts.store import remove
from modules.artifacts.types import Kind, ModuleFiles
from modules.base.errors import ArtifactError

TIMEOUT = 900


def folder(go: Go, wrapper: Path, module: str) -> Path:
    """Where the module, in the version the wrapper pins, lies unpacked; it is downloaded and checked when it is not."""
    told = json.loads(go.run("mod", "download", "-json", module, cwd=wrapper, timeout=TIMEOUT))
    return Path(told["Dir"])


def take(recipe: ModuleFiles, source: Path, kind: Kind, into: Path) -> None:
    """Put what the recipe names from the module's folder at `into`."""
    found = source / recipe.path
    if not found.exists():
        raise ArtifactError(f"{recipe.module} has no {recipe.path}")
    if recipe.base:
        into.write_text(kustomize(found, dict(recipe.images)), encoding="utf-8")
    elif kind is Kind.TREE:
        shutil.copytree(found, into, symlinks=True, copy_function=shutil.copyfile)
        _set_modes(into, recipe.executable)
    else:
        shutil.copyfile(found, into)


def kustomize(base: Path, images: dict[str, str]) -> str:
    """A kustomize base that has resources and commonLabels only, put together; images replaced by name."""
    plan = yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))
    unknown = set(plan) - {"apiVersion", "kind", "resources", "commonLabels"}
    if unknown:
        raise ArtifactError(f"a kustomize base with {', '.join(sorted(unknown))} is not understood", where=str(base))
    labels: dict[str, str] = plan.get("commonLabels", {})
    objects = [each for name in plan["resources"] for each in _objects(base / name)]
    for each in objects:
        _label(each, labels)
        for container in _containers(each):
            name = container["image"].rpartition(":")[0]
            container["image"] = images.get(name, container["image"])
    return yaml.safe_dump_all(objects, sort_keys=False)


def _objects(file: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]


def _label(each: dict[str, Any], labels: dict[str, str]) -> None:
    """What kustomize's commonLabels does: labels, pod template labels, selectors."""
    each["metadata"].setdefault("labels", {}).update(labels)
    spec = each.get("spec", {})
    if "template" in spec:
        spec["template"].setdefault("metadata", {}).setdefault("labels", {}).update(labels)
        spec.setdefault("selector", {}).setdefault("matchLabels", {}).update(labels)
    elif each["kind"] == "Service":
        spec.setdefault("selector", {}).update(labels)


def _containers(each: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pod = each.get("spec", {}).get("template", {}).get("spec", {})
    yield from (*pod.get("initContainers", ()), *pod.get("containers", ()))


def _set_modes(tree: Path, executable: tuple[str, ...]) -> None:
    scripts = {path for pattern in executable for path in tree.glob(pattern)}
    for each in tree.rglob("*"):
        if each.name in (".gitkeep", ".gitignore"):
            remove(each)
        elif each.is_file() and not each.is_symlink():
            each.chmod(0o755 if each in scripts else 0o644)
        elif each.is_dir():
            each.chmod(0o755)
