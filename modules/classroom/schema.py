"""The JSON schema of a class file, for editors: classes/class.schema.json is this, and a test keeps it equal."""

from __future__ import annotations

import json
from typing import Any

from modules.classroom.model import ClassSpec
from modules.topology.known import Known
from modules.topology.schema import schema as lab_schema
from modules.topology.schema import tidy


def schema(known: Known) -> dict[str, Any]:
    """The schema of a whole class file; a student's overrides have the keys of a lab, none of them needed."""
    document: dict[str, Any] = tidy(ClassSpec.model_json_schema())
    stack = lab_schema(known)
    lab = {key: value for key, value in stack["$defs"]["LabSpec"].items() if key != "required"}
    overrides = document["properties"]["overrides"]
    for key in ("propertyNames", "patternProperties"):
        overrides.pop(key, None)
    overrides["additionalProperties"] = {"$ref": "#/$defs/LabSpec"}
    definitions = {**document.pop("$defs"), **stack["$defs"], "LabSpec": lab}
    return {
        "$schema": stack["$schema"],
        "title": "stacklab class file",
        **document,
        "description": "One class: docs/class.md explains every key.",
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text(known: Known) -> str:
    """The text of classes/class.schema.json."""
    return json.dumps(schema(known), indent=2, ensure_ascii=False) + "\n"
