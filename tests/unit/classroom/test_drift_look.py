"""Asking Pulumi and kubectl, with programs that only say what they were taught."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules import artifacts, pulumi_home
from modules.base import shell
from modules.base.errors import CommandError, StacklabError
from modules.base.shell import Result
from modules.classroom import drift_look
from modules.classroom.drift_look import Kind, Where
from tests.unit.classroom import drift_lab as lab

TABLE = """\
bindings                          v1                             true    Binding
configmaps             cm         v1                             true    ConfigMap
events                 ev         v1                             true    Event
nodes                  no         v1                             false   Node
secrets                           v1                             true    Secret
services               svc        v1                             true    Service
customresourcedefinitions crd,crds apiextensions.k8s.io/v1       false   CustomResourceDefinition
validatingwebhookconfigurations   admissionregistration.k8s.io/v1 false  ValidatingWebhookConfiguration
deployments            deploy     apps/v1                        true    Deployment
leases                            coordination.k8s.io/v1         true    Lease
networkpolicies                   crd.projectcalico.org/v1       true    NetworkPolicy
"""


class FakeKubectl:
    """A cluster: kubectl as far as drift asks it."""

    def __init__(self, objects: list[dict[str, Any]], broken: tuple[str, ...] = (), table: str = TABLE) -> None:
        self.objects, self.broken, self.table = objects, broken, table
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *args: str, timeout: float = 15, stdin: str | None = None, check: bool = True) -> Result:
        assert not check, "a failure of kubectl would hold what it printed"
        self.asked.append(args)
        if args[0] == "api-resources":
            complaint = "" if self.table else "The connection to the server was refused"
            return Result(1, self.table, complaint, 0.1)  # 1: some API of the cluster does not answer
        assert args[0] == "get"
        assert {"--output=json", "--show-managed-fields"} <= set(args)
        kinds = [word.partition(".")[0] for word in args[1].split(",")]
        names = {word.partition("/")[2] for word in args[1:] if "/" in word}
        shown = [one for one in self.objects if f"{one['kind'].lower()}s" in {kind.partition("/")[0] for kind in kinds}]
        if "--namespace" in args:
            space = args[args.index("--namespace") + 1]
            shown = [one for one in shown if one["metadata"].get("namespace") == space]
        if names:
            shown = [one for one in self.objects if one["metadata"]["name"] in names]
        text = json.dumps({"kind": "List", "items": shown})
        if any(kind in self.broken for kind in kinds):
            return Result(1, text, "Error from server: conversion webhook failed\n", 0.1)
        return Result(0, text, "", 0.1)


def use(monkeypatch: pytest.MonkeyPatch, kubectl: FakeKubectl, export: dict[str, Any] | None = None) -> None:
    monkeypatch.setattr(drift_look, "Kubectl", lambda *_: kubectl)
    monkeypatch.setattr(artifacts, "binary", lambda name: Path("/bin") / name)
    monkeypatch.setattr(drift_look, "exported", lambda stack: lab.export() if export is None else export)


@pytest.fixture
def here(tmp_path: Path) -> Where:
    file = tmp_path / "kubeconfig"
    file.touch()
    return Where("s01", "pair-s01", file)


def test_kinds_are_read_from_the_right() -> None:
    kinds = {kind.name: kind for kind in drift_look.parse_kinds(TABLE + "garbage\n\nwarning: a b c\n")}
    assert kinds["configmaps"] == Kind("configmaps", "", "ConfigMap", True)
    assert kinds["customresourcedefinitions.apiextensions.k8s.io"].kind == "CustomResourceDefinition"
    assert kinds["networkpolicies.crd.projectcalico.org"].group == "crd.projectcalico.org"
    assert not kinds["nodes"].namespaced
    assert len(kinds) == 11


def test_an_untouched_lab_and_a_changed_one(monkeypatch: pytest.MonkeyPatch, here: Where) -> None:
    kubectl = FakeKubectl(list(lab.live().values()))
    use(monkeypatch, kubectl)
    assert drift_look.look(here).as_dict() == {
        "id": "s01", "stack": "pair-s01", "ok": True, "error": "", "notes": [], "findings": [],
    }  # fmt: skip
    asked = kubectl.asked[-1]
    assert "--all-namespaces" in asked
    assert "events" not in asked[1].split(",")
    assert "leases" not in asked[1]
    assert len(kubectl.asked) == 2
    kubectl.objects.append(lab.mine())
    [one] = drift_look.look(here).findings
    assert (one.what, one.owner, one.place) == ("added", "student", "default/mine")


def test_a_kind_that_cannot_be_listed_hides_no_other(monkeypatch: pytest.MonkeyPatch, here: Where) -> None:
    kubectl = FakeKubectl([*lab.live().values(), lab.mine()], broken=("services",))
    use(monkeypatch, kubectl)
    found = drift_look.look(here)
    assert found.notes == ("Service could not be listed",)
    assert [one.place for one in found.findings] == ["default/mine"]


def test_a_share_of_a_lab_is_its_namespace_and_what_it_declares_beside(
    monkeypatch: pytest.MonkeyPatch, here: Where
) -> None:
    data = lab.export()
    resources = data["deployment"]["resources"]
    del resources[0]["outputs"]["machines"]
    others = lab.mine()
    others["metadata"]["namespace"] = "pair-s02"
    beside = lab.written({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pair-s02"}}, "kubectl")
    kubectl = FakeKubectl([*lab.live().values(), lab.mine(), others, beside])
    use(monkeypatch, kubectl, data)
    found = drift_look.look(Where("s01", "pair-s01", here.kubeconfig, "default"))
    assert [one.place for one in found.findings] == ["default/mine"]
    listed, named = kubectl.asked[1], kubectl.asked[2]
    assert "nodes" not in listed[1].split(",")
    assert "validatingwebhookconfigurations.admissionregistration.k8s.io/hook" in named
    del kubectl.objects[[one["metadata"]["name"] for one in kubectl.objects].index("hook")]
    gone = drift_look.look(Where("s01", "pair-s01", here.kubeconfig, "default")).findings
    assert ("removed", "hook") in {(one.what, one.name) for one in gone}


def raising(error: Exception) -> Callable[[str], Any]:
    def fail(stack: str) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: StacklabError("no lab of this name is up"), "no lab of this name is up"),
        (lambda: CommandError("pulumi was stopped after 60 s", code=None, command="x", output=""), "was stopped"),
        (lambda: KeyError("type"), "cannot be read"),
    ],
)
def test_who_cannot_be_looked_at_is_a_row(
    monkeypatch: pytest.MonkeyPatch, here: Where, make: Callable[[], Exception], said: str
) -> None:
    use(monkeypatch, FakeKubectl([]))
    monkeypatch.setattr(drift_look, "exported", raising(make()))
    good, bad = drift_look.everybody([here, Where("s02", "pair-s02", here.kubeconfig)])
    assert said in good.error
    assert said in bad.error
    assert good.findings == ()


def test_a_lab_that_is_not_up_or_does_not_answer(monkeypatch: pytest.MonkeyPatch, here: Where, tmp_path: Path) -> None:
    use(monkeypatch, FakeKubectl([], table=""))
    assert drift_look.look(here).error == "the lab does not answer: The connection to the server was refused"
    assert "no kubeconfig" in drift_look.look(Where("s01", "pair-s01", tmp_path / "none")).error
    use(monkeypatch, FakeKubectl([]), {"version": 3, "deployment": {}})
    assert drift_look.look(here).error == "no lab of this name is up"


def test_what_kubectl_printed_is_in_no_error(monkeypatch: pytest.MonkeyPatch, here: Where) -> None:
    everything = tuple({line.split()[0] for line in TABLE.splitlines()})
    use(monkeypatch, FakeKubectl(list(lab.live().values()), broken=everything))
    found = drift_look.look(here)
    assert found.error == "the lab does not answer: Error from server: conversion webhook failed"
    assert "aHVudGVyMg" not in repr(found)


def test_the_state_is_exported_with_its_secrets_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    answers = [Result(0, json.dumps(lab.export()), "", 0.1), Result(255, "", "error: no stack named 'x' found", 0.1)]

    def run(argv: list[Any], **_: Any) -> Result:
        asked.append([str(word) for word in argv])
        return answers.pop(0)

    monkeypatch.setattr(shell, "run", run)
    monkeypatch.setattr(pulumi_home, "pulumi_binary", lambda: Path("/bin/pulumi"))
    assert drift_look.exported("pair-s01")["version"] == 3
    assert asked == [["/bin/pulumi", "stack", "export", "--stack", "pair-s01", "--non-interactive"]]
    with pytest.raises(StacklabError, match="no lab of this name is up"):
        drift_look.exported("pair-s01")
