"""The schema for editors agrees with the parser. It is read here by a small checker of the words that it uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.topology.schema import schema, schema_text
from tests.unit.topology.small import KNOWN

DATA = Path(__file__).parent / "data"
STACKS = Path(__file__).parents[3] / "stacks"
DOCUMENT = schema(KNOWN)
# What only a look across keys, or a reader of YAML, can find.
RIGHT = sorted([*(DATA / "valid").glob("*.yaml"), *STACKS.glob("Pulumi.*.yaml")])
SHAPES = [
    "addon-settings-unknown-key",
    "addon-unknown",
    "addon-twice",
    "app-affinity",
    "app-env-number",
    "app-exposure-kind",
    "app-exposure-two-keys",
    "app-name-missing",
    "app-name-not-dns",
    "app-nodeport-range",
    "app-nodeport-text",
    "app-probe-path",
    "app-volume",
    "apps-as-mapping",
    "backend-missing",
    "backend-unknown",
    "cidr-no-length",
    "endpoint-not-vip",
    "key-unknown",
    "kubernetes-number",
    "kubernetes-unknown",
    "lab-list",
    "loadbalancers-malformed",
    "machine-label-and-taint",
    "machine-size",
    "machines-negative",
    "machines-text",
    "proxy",
    "sources",
]
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def fits(value: Any, node: dict[str, Any]) -> bool:
    """JSON Schema, as far as ours uses it; an unknown word fails the test rather than being passed over."""
    return all(_holds(value, word, rule, node) for word, rule in node.items())


def _holds(value: Any, word: str, rule: Any, node: dict[str, Any]) -> bool:
    match word:
        case "$ref":
            return fits(value, DOCUMENT["$defs"][rule.removeprefix("#/$defs/")])
        case "anyOf":
            return any(fits(value, choice) for choice in rule)
        case "oneOf":
            return sum(fits(value, choice) for choice in rule) == 1
        case "type":
            kinds = [rule] if isinstance(rule, str) else rule
            return any(isinstance(value, TYPES[k]) and (k == "boolean" or not isinstance(value, bool)) for k in kinds)
        case "enum":
            return value in rule
        case "const":
            return bool(value == rule)
        case "pattern":
            return not isinstance(value, str) or re.search(rule, value) is not None
        case "minimum":
            return isinstance(value, bool) or not isinstance(value, (int, float)) or value >= rule
        case "maximum":
            return isinstance(value, bool) or not isinstance(value, (int, float)) or value <= rule
        case "minItems":
            return not isinstance(value, list) or len(value) >= rule
        case "maxItems":
            return not isinstance(value, list) or len(value) <= rule
        case "uniqueItems":
            return not rule or not isinstance(value, list) or len(set(map(repr, value))) == len(value)
        case "items":
            return not isinstance(value, list) or all(fits(item, rule) for item in value)
        case "required":
            return not isinstance(value, dict) or all(key in value for key in rule)
        case "properties":
            return not isinstance(value, dict) or all(fits(value[k], rule[k]) for k in rule if k in value)
        case "propertyNames":
            return not isinstance(value, dict) or all(fits(key, rule) for key in value)
        case "patternProperties":
            pairs = [(v, r) for k, v in value.items() for p, r in rule.items() if re.search(p, str(k))]
            return all(fits(v, r) for v, r in pairs)
        case "additionalProperties":
            known = node.get("properties", {})
            return not isinstance(value, dict) or rule is not False or all(key in known for key in value)
        case "$schema" | "$defs" | "title" | "description" | "default" | "examples":
            return True
    raise AssertionError(f"the checker does not know {word}")


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.stem)
def test_an_editor_accepts_what_the_parser_accepts(file: Path) -> None:
    assert fits(yaml.safe_load(file.read_text()), DOCUMENT)


@pytest.mark.parametrize("name", SHAPES)
def test_an_editor_marks_wrong_shapes(name: str) -> None:
    assert not fits(yaml.safe_load((DATA / "invalid" / f"{name}.yaml").read_text()), DOCUMENT)


def test_every_key_tells_an_editor_what_it_is() -> None:
    ours = [name for name in DOCUMENT["$defs"] if name not in ("Calico", "Traefik", "Empty")]
    for name in ours:
        for key, node in DOCUMENT["$defs"][name].get("properties", {}).items():
            described = {**DOCUMENT["$defs"][node["$ref"].removeprefix("#/$defs/")], **node} if "$ref" in node else node
            assert described.get("description"), f"{name}.{key}"
    assert len(ours) > 10


def test_the_text_is_the_schema_and_always_the_same() -> None:
    assert json.loads(schema_text(KNOWN)) == DOCUMENT
    assert schema_text(KNOWN) == schema_text(KNOWN)
    assert "x-allowed" not in schema_text(KNOWN)
