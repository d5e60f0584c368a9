"""Fills in what needs more than one key or the layers above: `latest`, `auto`, the addons' own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from modules.topology.known import Known
from modules.topology.locate import Locator
from modules.topology.model import DEFAULT_ADDONS, ECHO, App, Ingress, LabSpec
from modules.topology.problem import Path, Problem, nearest
from modules.topology.shape import shape
from modules.topology.words import Schema


@dataclass(frozen=True)
class Resolved:
    """The spec with nothing left open but what depends on the stack's name."""

    spec: LabSpec
    problems: tuple[Problem, ...]
    taken_out: tuple[Path, ...]


def resolve(spec: LabSpec, known: Known, locator: Locator) -> Resolved:
    problems: list[Problem] = []
    changes: dict[str, Any] = {}
    if spec.kubernetes == "latest":
        changes["kubernetes"] = known.kubernetes[0]
    elif spec.kubernetes not in known.kubernetes:
        problems.append(
            Problem(
                ("kubernetes",),
                "this version of Kubernetes is not in the catalogue",
                spec.kubernetes,
                ", ".join(("latest", *known.kubernetes)),
                nearest_version(spec.kubernetes, known),
            )
        )
    if spec.backend == "ssh" and "workers" not in spec.model_fields_set:
        changes["workers"] = ()  # machines that are not listed do not exist
    addons, wrong, taken_out = _addons(spec, known, locator)
    apps = tuple(_app(app) for app in spec.apps)
    changes |= {"addons": addons, "apps": apps}
    # Copying keeps model_fields_set as the file has it: the checks ask what was written.
    written = spec.model_fields_set
    resolved = spec.model_copy(update=changes)
    resolved.__pydantic_fields_set__.intersection_update(written)
    return Resolved(resolved, (*problems, *wrong), taken_out)


def nearest_version(text: object, known: Known) -> str:
    """The known version with the closest minor, then the closest patch; of 1.36 the newest 1.36.x."""
    parts = [int(part) for part in str(text).removeprefix("v").split(".") if part.isdigit()]
    if len(parts) < 2:
        return known.kubernetes[0]

    def far(version: str) -> tuple[int, int, int]:
        major, minor, patch = (int(part) for part in version.split("."))
        return abs(major - parts[0]), abs(minor - parts[1]), abs(patch - parts[2]) if len(parts) > 2 else -patch

    return min(known.kubernetes, key=far)


def _app(app: App) -> App:
    """`auto` of probes and ingress hosts, worked out. A job ends by itself and is never probed by default."""
    ours = app.image.removeprefix("docker.io/").partition(":")[0] == ECHO and app.workload not in ("job", "cronjob")
    defaults = {"ready": "/readyz", "live": "/healthz"}
    probes = {name: (path if ours else None) for name, path in defaults.items() if getattr(app.probes, name) == "auto"}
    expose = tuple(
        e.model_copy(update={"host": f"{app.name}.example.com"}) if isinstance(e, Ingress) and e.host is None else e
        for e in app.expose
    )
    return app.model_copy(update={"probes": app.probes.model_copy(update=probes), "expose": expose})


def _addons(
    spec: LabSpec, known: Known, locator: Locator
) -> tuple[Mapping[str, BaseModel], list[Problem], tuple[Path, ...]]:
    problems: list[Problem] = []
    taken_out: list[Path] = []
    found: dict[str, BaseModel] = {}
    asked = spec.addons if "addons" in spec.model_fields_set else dict.fromkeys(DEFAULT_ADDONS)
    for name, settings in asked.items():
        path: Path = ("addons", name)
        facts = known.addons.get(name)
        if facts is None:
            close = nearest(name, known.addons)
            problems.append(Problem(path, "there is no such addon", name, ", ".join(known.addons), close))
            taken_out.append(path)
            continue
        if settings is None:
            settings = {}
        if not isinstance(settings, Mapping):
            keys = ", ".join(facts.settings.model_fields)
            allowed = f"a mapping with the keys {keys}" if keys else "nothing: this addon has no settings"
            problems.append(Problem(path, "an addon's settings are a mapping", settings, allowed))
            taken_out.append(path)
            continue
        schema = Schema(facts.settings.model_json_schema())
        shaped = shape(facts.settings, settings, schema, at=path, locator=locator)
        problems += shaped.problems
        taken_out += shaped.taken_out
        if shaped.value is not None:
            found[name] = shaped.value
        else:
            taken_out.append(path)
    return found, problems, tuple(taken_out)
