"""The project's own stack files, schema and default addons, with what the catalogue and the addons really know."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.known import known
from modules.topology.model import DEFAULT_ADDONS
from modules.topology.parse import load, parse
from modules.topology.plan import plan
from modules.topology.schema import schema_text

STACKS = Path(__file__).parents[3] / "stacks"


@pytest.mark.parametrize("file", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda file: file.stem)
def test_every_stack_file_plans(file: Path) -> None:
    assert plan(load(file, known()), file.stem.removeprefix("Pulumi.")).machines


def test_the_schema_file_is_the_one_the_model_gives() -> None:
    assert (STACKS / "lab.schema.json").read_text() == schema_text(known()), "run: stacklab schema --write"


def test_the_default_addons_are_there() -> None:
    spec = parse({"backend": "kind"}, known())
    assert tuple(spec.addons) == DEFAULT_ADDONS
    assert spec.kubernetes == known().kubernetes[0]
