"""The custom resource definitions of one addon, told to the cluster in one go.

The Kubernetes provider reads all schemas of the API server anew after each definition that it makes: with thirty of
them that takes seconds on a good machine and minutes on an emulated one. kubectl reads none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from modules import artifacts
from modules.base.errors import CommandError
from modules.base.shell import run
from modules.resources.base import Change, Props, Provider, diff_result, known, text

INPUTS = ("name", "cluster", "kubeconfig_file", "definitions")
MANAGER = "--field-manager=stacklab"
PATIENCE = 180


class DefinitionsProvider(Provider):
    """definitions: name -> the manifest as JSON text. Outputs: the inputs, of the definitions that are there."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return diff_result(f"definitions of {text(olds, 'name')}", changes(olds, news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        _apply(props, _texts(props))
        return CreateResult(f"lab/{text(props, 'cluster')}/definitions/{text(props, 'name')}", _outs(props))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        before = _texts(olds) if text(olds, "cluster") == text(news, "cluster") else {}
        wanted = _texts(news)
        _apply(news, {name: said for name, said in wanted.items() if before.get(name) != said})
        _remove(news, sorted(before.keys() - wanted.keys()))
        return UpdateResult(_outs(news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Those that somebody has deleted are no longer in the state, so that the next `up` makes them again."""
        try:
            there = _there(props)
        except CommandError:  # a cluster that does not answer has not lost any
            there = set(_texts(props))
        found = {**props, "definitions": {name: said for name, said in _texts(props).items() if name in there}}
        return ReadResult(id_, _outs(found), _outs(found)) if found["definitions"] else ReadResult("", {})

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        _remove(props, sorted(_texts(props)))


def changes(olds: Props, news: Props) -> list[Change]:
    """What is told anew, in place; a new cluster is told all."""
    if not known(news.get("definitions")):
        return [Change("definitions", "not known yet", replace=False)]
    found = []
    if olds.get("cluster") != news.get("cluster"):
        found.append(Change("cluster", "the cluster is another one", replace=False))
    before, after = _texts(olds), _texts(news)
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            found.append(Change("definitions", f"{name} is new", replace=False))
        elif name not in after:
            found.append(Change("definitions", f"{name} goes", replace=False))
        elif before[name] != after[name]:
            found.append(Change("definitions", f"{name} changes", replace=False))
    return found


def _apply(props: Props, definitions: Mapping[str, str]) -> None:
    """Done when the API serves all of them."""
    if not definitions:
        return
    manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": [json.loads(d) for d in definitions.values()]})
    _kubectl(
        props,
        ["apply", "--server-side", "--force-conflicts", "--validate=ignore", MANAGER, "--filename=-"],
        stdin=manifests,
    )
    _kubectl(props, ["wait", "--for=condition=Established", f"--timeout={PATIENCE}s", *_crds(definitions)])


def _remove(props: Props, names: Sequence[str]) -> None:
    if names:
        _kubectl(props, ["delete", "--ignore-not-found", f"--timeout={PATIENCE}s", *_crds(names)])


def _there(props: Props) -> set[str]:
    said = _kubectl(props, ["get", "--ignore-not-found", "--output=name", *_crds(_texts(props))]).split()
    return {line.partition("/")[2] for line in said}


def _crds(names: Mapping[str, str] | Sequence[str]) -> list[str]:
    return [f"crd/{name}" for name in names]


def _kubectl(props: Props, words: Sequence[str], *, stdin: str | None = None) -> str:
    argv: list[str | Path] = [artifacts.binary("kubectl"), f"--kubeconfig={text(props, 'kubeconfig_file')}"]
    where = f"custom resource definitions of {text(props, 'name')}"
    return run([*argv, *words], timeout=PATIENCE + 30, stdin=stdin, where=where).stdout


def _texts(props: Props) -> dict[str, str]:
    return {str(name): str(said) for name, said in (props.get("definitions") or {}).items()}


def _outs(props: Props) -> dict[str, Any]:
    return {key: props.get(key) for key in INPUTS}


class Definitions(Resource, module="stacklab", name="Definitions"):
    """The definitions of one addon as one resource; `definitions` are whole manifests."""

    def __init__(
        self,
        resource_name: str,
        *,
        cluster: pulumi.Input[str],
        kubeconfig_file: pulumi.Input[str],
        definitions: Sequence[Mapping[str, Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "name": resource_name,
            "cluster": cluster,
            "kubeconfig_file": kubeconfig_file,
            "definitions": {d["metadata"]["name"]: json.dumps(d, sort_keys=True) for d in definitions},
        }
        super().__init__(DefinitionsProvider(), resource_name, props, opts)
