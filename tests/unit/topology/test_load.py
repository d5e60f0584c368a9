"""Reading the file itself, and what programs get from a refused one."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from modules.base.errors import InvalidStackError
from modules.topology.model import App, ClusterIP, Ingress, LoadBalancer, NodePort
from modules.topology.parse import load, parse
from modules.topology.problem import StackProblemsError
from tests.unit.topology.small import KNOWN


def refused(file: Path) -> str:
    with pytest.raises(InvalidStackError) as caught:
        load(file, KNOWN)
    return str(caught.value)


def written(folder: Path, text: str) -> Path:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(text)
    return file


def test_a_missing_file_names_those_that_are_there(tmp_path: Path) -> None:
    written(tmp_path, "")
    message = refused(tmp_path / "Pulumi.dve.yaml")
    assert "there is no such stack file" in message
    assert "there are dev; did you mean dev?" in message


def test_broken_yaml_says_where(tmp_path: Path) -> None:
    message = refused(written(tmp_path, "config:\n  stacklab:lab: {backend: kind\n"))
    assert "this is not YAML: line 3, column 1" in message


@pytest.mark.parametrize("text", ["", "- 1\n", "config:\n", "config: {}\n", "runtime: x\n"])
def test_a_file_without_a_lab_says_what_it_needs(tmp_path: Path, text: str) -> None:
    assert "`config:` must have the key `stacklab:lab`" in refused(written(tmp_path, text))


def test_a_misspelt_lab_is_recognised(tmp_path: Path) -> None:
    assert "stacklab:lb should be stacklab:lab" in refused(written(tmp_path, "config: {'stacklab:lb': {}}\n"))


def test_a_null_exposure_has_its_defaults() -> None:
    spec = parse({"backend": "kind", "apps": [{"name": "a", "expose": [{"nodeport": None}]}]}, KNOWN)
    assert spec.apps[0].expose == (NodePort(),)


def test_exposures_are_classes_to_match_on() -> None:
    kinds = [{"clusterip": {}}, {"nodeport": {"port": 30080}}, {"loadbalancer": {}}, {"ingress": {}}]
    spec = parse({"backend": "kind", "apps": [{"name": "a", "expose": kinds}]}, KNOWN)
    assert spec.apps[0].expose == (ClusterIP(), NodePort(port=30080), LoadBalancer(), Ingress(host="a.example.com"))


@pytest.mark.parametrize(
    ("image", "ready"),
    [
        ("stacklab/echo", "/readyz"),
        ("docker.io/stacklab/echo:1.0", "/readyz"),
        ("nginx", None),
        ("stacklab/echoes", None),
    ],
)
def test_only_our_own_app_is_probed_without_being_asked(image: str, ready: str | None) -> None:
    spec = parse({"backend": "kind", "apps": [{"name": "a", "image": image}]}, KNOWN)
    assert spec.apps[0].probes.ready == ready


def test_problems_can_be_read_by_programs_and_survive_pickling() -> None:
    with pytest.raises(StackProblemsError) as caught:
        parse({"backend": "kind", "worker": 1}, KNOWN)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  (made one line above)
    (problem,) = again.problems
    assert (problem.path, problem.hint) == (("worker",), "workers")
    assert problem.line is None  # no text was given
    assert str(again) == str(caught.value)


def test_a_spec_does_not_change_the_data_it_came_from() -> None:
    data = {"backend": "kind", "apps": [{"name": "x y"}, {"name": "b"}]}
    before = repr(data)
    with pytest.raises(StackProblemsError):
        parse(data, KNOWN)
    assert repr(data) == before


def test_the_model_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        App(name="a").name = "b"
