"""The definitions of an addon against a kubectl that says what a file tells it to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modules import artifacts
from modules.base.errors import CommandError
from modules.resources.definitions import DefinitionsProvider, changes
from tests.program.stand_in import crd
from tests.support.kubectl import Kubectl

provider = DefinitionsProvider()
POOL, ADVERT = (crd("metallb.io", name, kind) for name, kind in (("pools", "Pool"), ("adverts", "Advert")))


def props(*definitions: dict[str, Any], **changed: str) -> dict[str, Any]:
    texts = {d["metadata"]["name"]: json.dumps(d, sort_keys=True) for d in definitions}
    given = {"name": "metallb", "cluster": "dev/g1", "kubeconfig_file": "/labs/dev/kubeconfig", "definitions": texts}
    return {**given, **changed}


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    fake = Kubectl(tmp_path)
    monkeypatch.setattr(artifacts, "binary", lambda name, version=None: tmp_path / name)
    return fake


def told(kubectl: Kubectl) -> list[list[str]]:
    """The names in each list that was applied."""
    return [[item["metadata"]["name"] for item in json.loads(text)["items"]] for text in kubectl.told()]


def test_create_tells_all_at_once_and_waits_until_they_are_served(kubectl: Kubectl) -> None:
    made = provider.create(props(POOL, ADVERT))
    assert made.id == "lab/dev/g1/definitions/metallb"
    assert made.outs == props(POOL, ADVERT)
    assert told(kubectl) == [["pools.metallb.io", "adverts.metallb.io"]]
    applied, waited = kubectl.calls()
    assert applied[0] == "--kubeconfig=/labs/dev/kubeconfig"
    assert {"--server-side", "--force-conflicts"} <= set(applied)
    assert waited[1:3] == ["wait", "--for=condition=Established"]
    assert waited[-2:] == ["crd/pools.metallb.io", "crd/adverts.metallb.io"]


def test_an_error_of_kubectl_names_the_addon(kubectl: Kubectl) -> None:
    kubectl.says(apply=("no", 1))
    with pytest.raises(CommandError, match="custom resource definitions of metallb"):
        provider.create(props(POOL))


def test_update_tells_what_is_new_and_removes_what_goes(kubectl: Kubectl) -> None:
    provider.update("id", props(POOL), props(ADVERT))
    assert told(kubectl) == [["adverts.metallb.io"]]
    removed = kubectl.calls()[-1]
    assert removed[1] == "delete"
    assert removed[-1] == "crd/pools.metallb.io"


def test_another_cluster_is_told_all_and_nothing_is_removed_from_it(kubectl: Kubectl) -> None:
    provider.update("id", props(POOL, ADVERT), props(POOL, cluster="dev/g2"))
    assert told(kubectl) == [["pools.metallb.io"]]
    assert [call[1] for call in kubectl.calls()] == ["apply", "wait"]


def test_read_sees_one_that_is_gone(kubectl: Kubectl) -> None:
    kubectl.says(get=("customresourcedefinition.apiextensions.k8s.io/pools.metallb.io", 0))
    found = provider.read("id", props(POOL, ADVERT))
    assert found.id == "id"
    assert found.outs is not None
    assert list(found.outs["definitions"]) == ["pools.metallb.io"]
    assert [c.reason for c in changes(found.outs, props(POOL, ADVERT))] == ["adverts.metallb.io is new"]


def test_read_says_gone_when_all_are(kubectl: Kubectl) -> None:
    kubectl.says(get=("", 0))
    assert provider.read("id", props(POOL)).id == ""


def test_a_cluster_that_does_not_answer_has_lost_none(kubectl: Kubectl) -> None:
    kubectl.says(get=("refused", 1))
    assert provider.read("id", props(POOL)).outs == props(POOL)


def test_delete_twice_is_no_error(kubectl: Kubectl) -> None:
    for _ in range(2):
        provider.delete("id", props(POOL))
    assert all("--ignore-not-found" in call for call in kubectl.calls())


@pytest.mark.parametrize(
    ("news", "reasons"),
    [
        (props(POOL), []),
        (props(POOL, cluster="dev/g2"), ["the cluster is another one"]),
        (props(POOL, kubeconfig_file="/elsewhere"), []),
        (props(POOL, ADVERT), ["adverts.metallb.io is new"]),
        (props(), ["pools.metallb.io goes"]),
        (props({**POOL, "spec": {}}), ["pools.metallb.io changes"]),
    ],
)
def test_changes_are_told_and_made_in_place(news: dict[str, Any], reasons: list[str]) -> None:
    found = changes(props(POOL), news)
    assert [c.reason for c in found] == reasons
    assert not any(c.replace for c in found)
