"""The JSON schema of a class file, for editors: classes/class.schema.json is this, and a test keeps it equal.

What a student's overrides may hold is read by editors from the schema of stack files, which changes by itself.
"""

from __future__ import annotations

import json
from typing import Any

from modules.classroom.model import ClassSpec
from modules.topology.model import LabSpec
from modules.topology.schema import tidy

LAB = "../stacks/lab.schema.json#/$defs/LabSpec/properties"


def schema() -> dict[str, Any]:
    """The schema of a whole class file; a student's overrides have the keys of a lab, none of them needed."""
    document: dict[str, Any] = tidy(ClassSpec.model_json_schema())
    overrides = document["properties"]["overrides"]
    for key in ("propertyNames", "patternProperties"):
        overrides.pop(key, None)
    keys = {key: {"$ref": f"{LAB}/{key}"} for key in LabSpec.model_fields}
    overrides["additionalProperties"] = {"type": "object", "properties": keys, "additionalProperties": False}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "stacklab class file",
        **{key: value for key, value in document.items() if key != "$defs"},
        "description": "One class: docs/class.md explains every key.",
        "$defs": document["$defs"],
    }


def schema_text() -> str:
    """The text of classes/class.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
