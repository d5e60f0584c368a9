"""docs/stack-file.md names every key with its default, and its examples are right. UPDATE_GOLDEN=1 writes the table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.topology.model import LabSpec
from modules.topology.parse import parse
from modules.topology.problem import StackProblemsError, show
from modules.topology.words import Schema
from tests.unit.topology.small import KNOWN

PAGE = Path(__file__).parents[3] / "docs" / "stack-file.md"
TABLES = re.compile(r"(<!-- keys:.*?-->\n)(.*)(<!-- end of keys -->)", re.DOTALL)
HEAD = "| key | meaning | allowed | default | example |\n|---|---|---|---|---|\n"


def rows() -> Iterator[str]:
    schema = Schema(LabSpec.model_json_schema())
    for key, node in schema.every():
        if key.startswith("workers[]"):
            continue  # the same as masters[]
        steps = tuple(0 if step == "[]" else step for step in re.findall(r"\[\]|[^.\[\]]+", key))
        keys = schema.keys(steps)
        allowed = "a mapping" if keys and key not in ("masters", "workers", "apps") else schema.allowed(steps)
        allowed = re.sub(r"\{.*?\}", "{…}", allowed) if "a list of" in allowed else allowed
        default = (
            "needed" if "default" not in node and not keys and "expose[]" not in key else _code(node.get("default"))
        )
        choices = [choice for choice in schema.choices(steps) if choice != node.get("default")]
        example = next(iter(node.get("examples") or choices), None)
        yield f"| `{key}` | {_text(node.get('description', ''))} | {_text(allowed)} | {default} | {_code(example)} |\n"


def _text(text: str) -> str:
    assert text, "a key without an explanation"
    return text.replace("|", "\\|").replace("<", "&lt;")


def _code(value: Any) -> str:
    return "-" if value is None or value == {} else f"`{show(value)}`"


def test_the_page_has_every_key_as_the_model_has_it() -> None:
    text = PAGE.read_text()
    expected = "\n" + HEAD + "".join(rows()) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        text = TABLES.sub(lambda found: found[1] + expected + found[3], text)
        PAGE.write_text(text)
    found = TABLES.search(text)
    assert found is not None
    assert found[2] == expected


def test_workers_have_the_keys_that_masters_have() -> None:
    keys = [key for key, _ in Schema(LabSpec.model_json_schema()).every()]
    ends = {role: [k.removeprefix(role) for k in keys if k.startswith(role + "[]")] for role in ("masters", "workers")}
    assert ends["masters"] == ends["workers"] != []


def test_the_examples_of_the_page_are_right() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for block in blocks:
        data = yaml.safe_load(block)
        lab = data["config"]["stacklab:lab"] if "config" in data else data
        parse({"backend": "kind", **lab}, KNOWN)
    assert len(blocks) >= 5


def test_the_message_on_the_page_is_the_real_one() -> None:
    text = (
        "config:\n  stacklab:lab:\n    backend: kind\n    kubernetes: 1.36\n    masters: 1\n    addons:\n"
        "      - calico\n      - metalb\n    apps:\n      - {name: a, expose: [{nodeport: {port: 30080}}]}\n\n"
        "      - {name: b, expose: [{nodeport: {port: 30080}}]}\n"
    )
    with pytest.raises(StackProblemsError) as caught:
        parse(yaml.safe_load(text)["config"]["stacklab:lab"], KNOWN, source="stacks/Pulumi.dev.yaml", text=text)
    shown = re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert str(caught.value).partition("\n  next:")[0].rstrip() == shown[0].rstrip()
