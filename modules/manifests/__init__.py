"""Kubernetes objects as data: read from YAML, patched, put in order. Pure, and known to every layer above."""

from modules.manifests.objects import Id, Object, identity, labelled, namespaced_in, pulumi_token
from modules.manifests.order import follows, leaves
from modules.manifests.patch import (
    ManifestError,
    ask_directly,
    change,
    find,
    parse,
    shell_env,
    slim_schemas,
    start_quickly,
)
from modules.manifests.waiting import Condition, needs_address, not_awaited, ready_when, told_first

__all__ = [
    "Condition",
    "Id",
    "ManifestError",
    "Object",
    "ask_directly",
    "change",
    "find",
    "follows",
    "identity",
    "labelled",
    "leaves",
    "namespaced_in",
    "needs_address",
    "not_awaited",
    "parse",
    "pulumi_token",
    "ready_when",
    "shell_env",
    "slim_schemas",
    "start_quickly",
    "told_first",
]
