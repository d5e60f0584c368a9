"""Where a live object differs from the declared one: only in what is declared, and only in meaning. Pure.

"1000m" is "1", 8080 is "8080", an absent field is an empty one. What Kubernetes fills in by itself is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from modules.classroom import noise
from modules.classroom.declared import secret

LONGEST = 100
HIDDEN = "(hidden)"
NOTHING = "(nothing)"
# Told by the API alone, or write-only; apiVersion and kind are who it is.
PASSED_OVER = frozenset({"apiVersion", "kind", "status", "stringData"})
PASSED_OVER_METADATA = frozenset({"name", "namespace", "creationTimestamp", "generateName", "managedFields", "uid"})
# By which field Kubernetes tells the elements of a list apart; the first that all elements have, each another.
KEYS = (("mountPath",), ("containerPort", "protocol"), ("port", "protocol"), ("name",), ("ip",), ("topologyKey",))
QUANTITIES = frozenset(
    {"requests", "limits", "capacity", "hard", "sizeLimit", "default", "defaultRequest", "max", "min", "divisor"}
)
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(n|u|m|k|[KMGTPE]i|[MGTPE]|[eE][+-]?[0-9]+)?")
_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_ABSENT = object()


@dataclass(frozen=True)
class Change:
    """One place in an object, as text to be shown; `own` is a part that the lab does not declare at all."""

    path: str
    declared: str
    found: str
    own: bool = False


def changes(declared: Mapping[str, Any], live: Mapping[str, Any]) -> list[Change]:
    """Every place where they differ. Of Secrets the places only, never a value."""
    if declared.get("apiVersion") != live.get("apiVersion"):
        return []  # kubectl shows another version of the same object, whose fields need not be the same
    hidden = declared.get("kind") == "Secret"
    found = []
    for path, wanted, there in _differences(declared, live, ""):
        own = wanted is _ABSENT
        texts = [NOTHING if v is _ABSENT else HIDDEN if hidden else _shown(v) for v in (wanted, there)]
        found.append(Change(path, texts[0], texts[1], own))
    return found


def quantity(value: object) -> Decimal | None:
    """The exact number that a quantity of Kubernetes stands for; None for what is none."""
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        return None
    unit = match[2] or ""
    try:
        number = Decimal(match[1])
        if unit[:1] in ("e", "E") and len(unit) > 1:
            return number.scaleb(int(unit[1:]))
        if unit.endswith("i"):
            return number * Decimal(1024) ** ("KMGTPE".index(unit[0]) + 1)
        return number.scaleb(_POWERS[unit])
    except (InvalidOperation, OverflowError, ValueError):
        return None


def _differences(wanted: Any, there: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if secret(wanted) or noise.controllers_field(path):
        return
    if isinstance(wanted, Mapping):
        if _empty(wanted) and _empty(there):
            return
        if not isinstance(there, Mapping):
            yield path, wanted, there
            return
        for key, value in wanted.items():
            if not _passed_over(path, key):
                yield from _differences(value, there.get(key, _ABSENT), f"{path}.{key}" if path else str(key))
        if path in ("data", "binaryData"):  # a key of one's own in the lab's ConfigMap
            for key in there.keys() - wanted.keys():
                yield f"{path}.{key}", _ABSENT, there[key]
    elif isinstance(wanted, list):
        if _empty(wanted) and _empty(there):
            return
        if not isinstance(there, list):
            yield path, wanted, there
            return
        yield from _of_lists(wanted, there, path)
    elif not _same(wanted, there, path):
        yield path, wanted, there


def _of_lists(wanted: list[Any], there: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    names = next((keys for keys in KEYS if _by(wanted, keys) is not None and _by(there, keys) is not None), None)
    if names is None:
        # Without a key to tell them apart a list is one value, which Kubernetes replaces as a whole.
        if len(wanted) != len(there):
            yield path, wanted, there
            return
        for place, (one, other) in enumerate(zip(wanted, there, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]")
        return
    before, after = _by(wanted, names) or {}, _by(there, names) or {}
    for key, one in before.items():
        yield from _differences(one, after.get(key, _ABSENT), f"{path}[{key}]")
    for key in after.keys() - before.keys():
        yield f"{path}[{key}]", _ABSENT, after[key]


def _by(elements: Sequence[Any], names: tuple[str, ...]) -> dict[str, Any] | None:
    """The elements by their key; None when this is no key of theirs."""
    found: dict[str, Any] = {}
    for one in elements:
        if not isinstance(one, Mapping) or names[0] not in one:
            return None
        values = [str(one[names[0]]), *(str(one.get(name, "TCP")) for name in names[1:])]
        found[values[0] if values[1:] in ([], ["TCP"]) else "/".join(values)] = one
    return found if len(found) == len(elements) and found else None


def _passed_over(path: str, key: str) -> bool:
    return (path == "" and key in PASSED_OVER) or (path == "metadata" and key in PASSED_OVER_METADATA)


def _same(wanted: Any, there: Any, path: str) -> bool:
    if there is _ABSENT or there is None:
        return _empty(wanted)
    if isinstance(there, Mapping | list):
        return False
    if _plain(wanted) == _plain(there):
        return True
    if QUANTITIES.isdisjoint(re.split(r"[.\[\]]", path)):
        return False
    one, other = quantity(wanted), quantity(there)
    return one is not None and one == other


def _plain(value: Any) -> str:
    """8080, 8080.0 and "8080" are one; so are true and "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _empty(value: Any) -> bool:
    """What Kubernetes leaves out of an answer."""
    if value is _ABSENT or value is None or value is False:
        return True
    if isinstance(value, Mapping):
        return all(_empty(one) for one in value.values())
    return value in ("", 0) or value == []


def _shown(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(_without_secrets(value), ensure_ascii=False, sort_keys=True)
    text = " ".join(said.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _without_secrets(value: Any) -> Any:
    if secret(value):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): _without_secrets(one) for key, one in value.items()}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value
