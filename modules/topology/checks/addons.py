"""Addons: exactly one network for pods, and somebody to do what the apps ask for."""

from __future__ import annotations

from collections.abc import Iterator

from modules.topology.known import Known
from modules.topology.model import Ingress, LabSpec, LoadBalancer
from modules.topology.problem import Path, Problem, listing

ADDONS: Path = ("addons",)


def check(spec: LabSpec, known: Known) -> Iterator[Problem]:
    yield from _one_cni(spec, known)
    for index, app in enumerate(spec.apps):
        path: Path = ("apps", index)
        for place, exposure in enumerate(app.expose):
            if isinstance(exposure, LoadBalancer):
                inside = (*path, "expose", place, exposure.kind)
                yield from _asks(spec, known, inside, "loadbalancer", "a load balancer")
            if isinstance(exposure, Ingress):
                inside = (*path, "expose", place, exposure.kind)
                yield from _asks(spec, known, inside, "ingress", "an ingress controller")
        if app.volume is not None:
            yield from _asks(spec, known, (*path, "volume"), "storage", "a StorageClass", app.volume)


def _one_cni(spec: LabSpec, known: Known) -> Iterator[Problem]:
    possible = known.providers("cni")
    given = [name for name in spec.addons if name in possible]
    if len(given) != 1:
        yield Problem(
            ADDONS,
            "a lab has exactly one network for its pods (CNI)",
            listing(given, "and") or ", ".join(spec.addons) or "no addons",
            f"exactly one of {', '.join(possible)}",
            f"leave out {listing(given[1:], 'and')}" if given else f"add {possible[0]}" if possible else "",
            rests_on=(ADDONS,),
        )


def _asks(spec: LabSpec, known: Known, path: Path, ability: str, name: str, found: object = None) -> Iterator[Problem]:
    possible = known.providers(ability)
    if not any(addon in spec.addons for addon in possible):
        yield Problem(
            path,
            f"this needs {name}, and no addon of the lab is one",
            str(found) if found is not None else ", ".join(spec.addons) or "no addons",
            f"with one of the addons {', '.join(possible)}" if possible else "no addon can do this",
            f"add {possible[0]} to addons" if possible else "",
            rests_on=(ADDONS,),
        )
