"""What an addon is: a name, typed settings, what it provides, and a pure function from plan and settings to objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from modules.manifests import Object
from modules.topology.plan import LabPlan


class Settings(BaseModel):
    """The part of the stack file under an addon's name; an unknown key is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class Addon(Generic[S]):
    """One addon.

    name:     as written in the stack file.
    provides: what others may count on: cni, network-policy, metrics, loadbalancer, ingress, storage.
    settings: the type of its settings; every key has a default.
    objects:  the Kubernetes objects it consists of, as data, in any order.
    """

    name: str
    provides: frozenset[str]
    settings: type[S]
    objects: Callable[[LabPlan, S], Sequence[Object]]
