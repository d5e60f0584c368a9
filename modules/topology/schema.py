"""The JSON schema of a stack file, for editors: the model's own, with what is known of versions and addons put in.

stacks/lab.schema.json is this, written by `stacklab schema --write`; a test keeps it equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from modules.topology.known import Known
from modules.topology.model import DEFAULT_ADDONS, LabSpec

Json = dict[str, Any]


def schema(known: Known) -> Json:
    """The schema of a whole Pulumi.<stack>.yaml."""
    models: list[type[BaseModel]] = [LabSpec, *(facts.settings for facts in known.addons.values())]
    refs, shared = models_json_schema([(model, "validation") for model in models])
    definitions = shared["$defs"]
    lab = definitions["LabSpec"]
    lab["properties"]["addons"] = _addons(known, {m: refs[m, "validation"] for m in models})
    lab["properties"]["kubernetes"] |= {"enum": ["latest", *known.kubernetes]}
    del lab["properties"]["kubernetes"]["pattern"]
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "stacklab stack file",
        "description": "One lab: docs/stack-file.md explains every key.",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "description": "Pulumi's configuration of the stack.",
                "properties": {"stacklab:lab": refs[LabSpec, "validation"]},
                "required": ["stacklab:lab"],
            }
        },
        "required": ["config"],
        "$defs": definitions,
    }
    return {str(key): tidy(value) for key, value in document.items()}


def schema_text(known: Known) -> str:
    """The text of stacks/lab.schema.json."""
    return json.dumps(schema(known), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def _addons(known: Known, refs: Mapping[Any, Any]) -> Json:
    settings = {name: {"anyOf": [refs[facts.settings], {"type": "null"}]} for name, facts in known.addons.items()}
    return {
        "description": LabSpec.model_fields["addons"].description,
        "default": [name for name in DEFAULT_ADDONS if name in known.addons],
        "anyOf": [
            {"type": "array", "items": {"enum": list(known.addons)}, "uniqueItems": True},
            {"type": "object", "properties": settings, "additionalProperties": False},
        ],
    }


def tidy(node: Any, names: bool = False) -> Any:
    """Without pydantic's titles ("Cpus" for cpus), and with allowed values' words as what editors show."""
    if isinstance(node, list):
        return [tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    if names:  # keys here are names of properties or definitions
        return {key: tidy(value) for key, value in node.items()}
    shown = {
        key: tidy(value, names=key in ("properties", "$defs", "patternProperties"))
        for key, value in node.items()
        if key not in ("title", "x-allowed") or not isinstance(value, str)
    }
    words = node.get("x-allowed")
    if words:
        shown["description"] = f"{node['description']} Allowed: {words}." if "description" in node else words
    return shown
