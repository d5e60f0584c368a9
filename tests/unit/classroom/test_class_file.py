"""The class file: right ones, and every kind of mistake with the very text people see (UPDATE_GOLDEN=1 rewrites)."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
import yaml

from modules.base.errors import InvalidStackError
from modules.classroom import schema
from modules.classroom.model import ClassSpec
from modules.classroom.parse import load
from modules.known import known
from modules.topology.problem import StackProblemsError
from tests.unit.classroom.conftest import TEMPLATE, VMS, Make
from tests.unit.topology.small import KNOWN

ROOT = Path(__file__).parents[3]
DATA = Path(__file__).parent / "data"
CASES = sorted((DATA / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_message_of_a_wrong_file(file: Path) -> None:
    with pytest.raises(InvalidStackError) as caught:
        load(file, DATA / "stacks", KNOWN)
    message = str(caught.value).replace(f"{file.parent}/", "") + "\n"
    golden = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(message)
    assert message == golden.read_text()
    assert {file.stem for file in CASES} == {text.stem for text in (DATA / "invalid").glob("*.txt")}


def test_the_example_is_right_and_its_schema_is_committed() -> None:
    made = load(ROOT / "classes" / "cka.yaml", ROOT / "stacks", known())
    assert [student.id for student in made.spec.students] == ["s01", "s02", "s03", "s04"]
    assert made.lab("s03").spec.workers == 1
    assert made.lab("s01") is made.usual
    assert (ROOT / "classes" / "class.schema.json").read_text() == schema.schema_text()


def test_every_key_is_explained() -> None:
    page = (ROOT / "docs" / "class.md").read_text()
    for model in (
        ClassSpec,
        *(f.annotation for f in ClassSpec.model_fields.values() if hasattr(f.annotation, "model_fields")),
    ):
        assert model is not None
        for name in model.model_fields:
            assert f"`{name}`" in page, f"docs/class.md does not explain {name} of {model.__name__}"


@pytest.mark.parametrize(
    "text", ["id,name\ns1,Ada\n\ns2,Bo\n", "\ufeffid;name;group\r\ns1;Ada;a\r\ns2;Bo;\r\n", "name,ID\nAda,s1\nBo,s2\n"]
)
def test_a_roster_as_spreadsheets_write_it(make: Make, text: str) -> None:
    students = make(csv=text).spec.students
    assert [(one.id, one.name, one.mail) for one in students] == [("s1", "Ada", None), ("s2", "Bo", None)]


def test_a_day_may_be_written_with_or_without_quotes(make: Make) -> None:
    assert make(expires="2026-12-31").spec.expires == date(2026, 12, 31)
    assert make(expires=date(2026, 12, 31)).spec.expires == date(2026, 12, 31)


def test_overrides_join_mappings_and_replace_the_rest(make: Make) -> None:
    change = {"addons": {"traefik": {"replicas": 2}}, "apps": [], "network": {"proxy": "nftables"}}
    made = make(overrides={"s02": change, "s03": change})
    lab = made.lab("s02").spec
    assert set(lab.addons) == set(TEMPLATE["addons"])
    assert lab.addons["traefik"].replicas == 2
    assert (lab.apps, lab.network.proxy) == ((), "nftables")
    assert made.lab("s03") is made.lab("s02")


def test_ten_thousand_and_one_are_too_many(make: Make) -> None:
    many = "id\n" + "".join(f"s{n}\n" for n in range(10_001))
    with pytest.raises(StackProblemsError, match="there are too many students"):
        make(csv=many, addresses={"each": 26})


def test_machines_of_other_hosts_are_for_vms(make: Make) -> None:
    hosts = [{"name": "a", "uri": "qemu+ssh://a/system", "memory": "64GiB", "cpus": 8, "disk": "1TiB"}]
    assert make(template_data=VMS, hosts=hosts).spec.hosts[0].cpus == 8
    with pytest.raises(StackProblemsError, match="made on this machine only"):
        make(hosts=hosts)


def test_the_schema_knows_the_example_and_where_labs_are_explained() -> None:
    document = schema.schema()
    data = yaml.safe_load((ROOT / "classes" / "cka.yaml").read_text())
    assert set(data) <= set(document["properties"])
    keys = document["properties"]["overrides"]["additionalProperties"]["properties"]
    file, _, inside = keys["workers"]["$ref"].partition("#/")
    lab = json.loads((ROOT / "classes" / file).read_text())
    for step in inside.split("/"):
        lab = lab[step]
    assert lab["description"]
