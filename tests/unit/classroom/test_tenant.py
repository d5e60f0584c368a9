"""The program of a student's share, without an engine: what it registers, in which order, and what stays secret."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pulumi
import pytest
import yaml

from modules.base.errors import InvalidStackError
from modules.classroom import footprint, labs, make, tenant
from modules.classroom.plan import Seat
from tests.program import mocks
from tests.program.mocks import Graph
from tests.unit.classroom.conftest import Make

ADMIN = yaml.safe_dump(
    {
        "clusters": [{"cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "Q0E="}}],
        "users": [{"user": {"client-key-data": "the teacher's key"}}],
    }
)
OUTPUTS = {"kubeconfig": ADMIN, "exposures": [{"kind": "ingress", "address": "10.200.1.200"}]}


@pytest.fixture
def share(make: Make) -> dict[str, Any]:
    found: dict[str, Any] = config(make)["stacklab:tenant"]
    return found


def config(make_class: Make, **keys: Any) -> dict[str, Any]:
    template = {"backend": "kind", "addons": ["calico", "metallb", "traefik"]}
    app = {"name": "kubia", "expose": [{"nodeport": {}}, {"ingress": {}}]}
    made = make_class(tenancy="namespace", template_data={**template, "apps": [app]}, **keys)
    student = made.spec.students[0]
    need = footprint.of_share(made.usual.spec, footprint.table())
    return make.config_of(made, Seat(student, labs.stack_name(made.name, student.id), None, "this-host", need))


@pytest.fixture
def ran(share: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Graph, dict[str, Any]]:
    usual = mocks._Answers.new_resource
    asked: list[str] = []

    def answer(self: Any, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            asked.append(args.name)
            return args.name, {**args.inputs, "outputs": OUTPUTS, "secretOutputNames": ["kubeconfig"]}
        made, outs = usual(self, args)
        if args.typ.endswith(":Secret"):
            outs["data"] = {"token": base64.b64encode(b"the student's token").decode()}
        return made, outs

    monkeypatch.setattr(mocks._Answers, "new_resource", answer)
    monkeypatch.setenv("GRPC_ENABLE_FORK_SUPPORT", "false")
    exported: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "cka-s01")

    def program() -> None:
        pulumi.runtime.set_all_config({"stacklab:tenant": json.dumps(share)})
        assert tenant.wanted()
        tenant.deploy()

    graph = mocks.run(program)
    assert [name.split("/")[::2] for name in asked] == [["organization", "shared"]]
    return graph, exported


def test_the_file_is_all_that_the_program_needs(share: dict[str, Any], make: Make) -> None:
    found = tenant.read("cka-s01", json.loads(json.dumps(share)))
    assert found.namespace == "cka-s01"
    assert [getattr(e, "host", "") for app in found.apps for e in app.expose] == ["s01.kubia.example.com"]
    assert found.shared == make(tenancy="namespace").spec.shared


def test_a_file_that_somebody_changed_is_told() -> None:
    with pytest.raises(InvalidStackError, match="not a student's stack"):
        tenant.read("cka-s01", {"class_name": "cka"})


def test_everything_goes_to_the_shared_lab_and_ends_with_the_namespace(ran: tuple[Graph, dict[str, Any]]) -> None:
    graph, _ = ran
    provider, space = graph.one("kubernetes"), graph.one("Namespace")
    for obj in graph.inside():
        assert provider.urn in obj.provider
        inside = "namespace" in obj.inputs["metadata"]
        assert obj.deleted_with == (space.urn if inside else "")
        assert obj is space or space.urn in obj.depends_on
    pods = graph.one("Deployment")
    limits = {r.urn for kind in ("ResourceQuota", "LimitRange", "NetworkPolicy") for r in graph.of(kind)}
    assert limits <= set(pods.depends_on)


def test_secrets_stay_secret(ran: tuple[Graph, dict[str, Any]]) -> None:
    graph, exported = ran
    assert graph.one("Secret").secret_outputs == ["data"]
    assert "teacher" not in graph.one("kubernetes").in_clear
    assert asyncio.get_event_loop().run_until_complete(exported["kubeconfig"].is_secret())
    own = yaml.safe_load(mocks.value(exported["kubeconfig"]))
    assert own["users"] == [{"name": "s01", "user": {"token": "the student's token"}}]
    assert own["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert "teacher" not in str(own)


def test_the_address_is_that_of_the_shared_ingress(ran: tuple[Graph, dict[str, Any]]) -> None:
    (record,) = (mocks.value(one) for one in ran[1]["exposures"])
    assert (record["url"], record["address"]) == ("http://s01.kubia.example.com/", "10.200.1.200")
