"""What can only be judged across keys. Each check is a function from the spec to its problems; none stops another."""

from __future__ import annotations

from collections.abc import Iterator

from modules.topology.checks import addons, apps, backend, network
from modules.topology.known import Known
from modules.topology.model import LabSpec
from modules.topology.problem import Problem


def check(spec: LabSpec, known: Known) -> Iterator[Problem]:
    """All problems of a spec whose values are each right by themselves."""
    yield from backend.check(spec)
    yield from network.check(spec, known)
    yield from addons.check(spec, known)
    yield from apps.check(spec)
