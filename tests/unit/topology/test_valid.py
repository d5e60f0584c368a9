"""Right files with the plan they give, word for word. UPDATE_GOLDEN=1 rewrites the plans: read the difference."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from modules.topology.model import App, LabSpec
from modules.topology.parse import load
from modules.topology.plan import LabPlan, plan
from tests.unit.topology.small import KNOWN

CASES = sorted((Path(__file__).parent / "data" / "valid").glob("*.yaml"))
STACKS = sorted((Path(__file__).parents[3] / "stacks").glob("Pulumi.*.yaml"))


def as_json(lab: LabPlan) -> str:
    def plain(value: Any) -> Any:
        return value.model_dump() if isinstance(value, BaseModel) else str(value)

    fields = {**asdict(lab), "apps": [_app(app) for app in lab.apps]}
    return json.dumps(fields, indent=2, default=plain) + "\n"


def _app(app: App) -> dict[str, Any]:
    return {**app.model_dump(), "expose": [{e.kind: e.model_dump()} for e in app.expose]}


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_plan_of_a_right_file(file: Path) -> None:
    text = as_json(plan(load(file, KNOWN), "dev"))
    golden = file.with_suffix(".json")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_file_with_everything_uses_every_key() -> None:
    written = load(CASES[0].parent / "everything.yaml", KNOWN)
    assert set(LabSpec.model_fields) - written.model_fields_set == set()


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.stem)
def test_every_stack_that_comes_with_the_project_plans_without_a_warning(file: Path) -> None:
    lab = plan(load(file, KNOWN), file.stem.removeprefix("Pulumi."))
    assert lab.machines
    assert lab.warnings == ()
    assert [e.kind for e in lab.apps[0].expose] == ["clusterip", "nodeport", "loadbalancer", "ingress"]


def test_the_stacks_are_the_five_of_the_design() -> None:
    assert [file.stem for file in STACKS] == [f"Pulumi.{name}" for name in ("cka", "dev", "ha", "hosts", "minikube")]
