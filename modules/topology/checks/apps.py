"""Apps: names, ports and hosts are used once, and keys fit the kind of workload."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from modules.topology.model import App, Ingress, LabSpec, NodePort
from modules.topology.problem import Path, Problem, listing
from modules.topology.values import format_cpu, format_size

REPLICATED = ("deployment", "replicaset", "statefulset")
ENDING = ("job", "cronjob")
FITS = {"replicas": REPLICATED, "completions": ENDING, "schedule": ("cronjob",)}


def check(spec: LabSpec) -> Iterator[Problem]:
    used: dict[Hashable, Path] = {}
    for index, app in enumerate(spec.apps):
        path: Path = ("apps", index)
        yield from _once(used, ("name", app.name), (*path, "name"), app.name, "another app has this name")
        yield from _fits(app, path)
        yield from _limits(app, path)
        yield from _exposures(app, path, used)


def _once(used: dict[Hashable, Path], key: Hashable, path: Path, found: object, what: str) -> Iterator[Problem]:
    if key in used:
        yield Problem(path, what, found, "each only once", other=used[key])
    used.setdefault(key, path)


def _fits(app: App, path: Path) -> Iterator[Problem]:
    workload: Path = (*path, "workload")
    for key, kinds in FITS.items():
        if key in app.model_fields_set and app.workload not in kinds:
            yield Problem(
                (*path, key),
                f"a {app.workload} has no {key}",
                getattr(app, key),
                f"{key} goes with {listing(kinds, 'and')}",
                rests_on=(workload,),
            )
    if app.workload in ENDING and app.expose:
        yield Problem(
            (*path, "expose"),
            f"a {app.workload} ends, so nothing answers behind an exposure",
            listing([e.kind for e in app.expose], "and"),
            f"exposures go with {listing((*REPLICATED, 'daemonset'), 'and')}",
            rests_on=(workload,),
        )
    if app.workload == "daemonset" and app.volume is not None:
        yield Problem(
            (*path, "volume"),
            "a volume is on one machine, and a daemonset's pods are on all of them",
            str(app.volume),
            "none; or the workload statefulset, whose pods have a volume each",
            "none",
            rests_on=(workload,),
        )


def _limits(app: App, path: Path) -> Iterator[Problem]:
    shown: dict[str, Callable[[int], str]] = {"cpu": format_cpu, "memory": format_size}
    for key, text in shown.items():
        asked, most = getattr(app.resources.requests, key), getattr(app.resources.limits, key)
        if asked is not None and most is not None and asked > most:
            yield Problem(
                (*path, "resources", "limits", key),
                f"a pod asks for more ({text(asked)}) than it may take",
                text(most),
                f"at least {text(asked)}",
                rests_on=((*path, "resources", "requests", key),),
            )


def _exposures(app: App, path: Path, used: dict[Hashable, Path]) -> Iterator[Problem]:
    for index, exposure in enumerate(app.expose):
        place: Path = (*path, "expose", index, exposure.kind)
        key = ("expose", path, exposure.kind)
        yield from _once(used, key, place, exposure.kind, "an app has each kind of exposure once")
        if isinstance(exposure, NodePort) and exposure.port is not None:
            port = exposure.port
            yield from _once(used, ("port", port), (*place, "port"), port, "another app has this NodePort")
        if isinstance(exposure, Ingress):
            address = f"{exposure.host}{exposure.path}"
            where = (*place, "host") if "host" in exposure.model_fields_set else place
            yield from _once(used, ("url", address), where, address, "another app answers under this host and path")
