"""What stands in front of several masters on minikube, and that kube-vip stays away: texts, and the shim really run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.local.minikube import balancer, command, shim
from tests.unit.local.cases import LABELS
from tests.unit.local.test_minikube import lab


def run() -> list[str]:
    cluster = lab(3, 1).cluster
    node = balancer.wanted(cluster)
    assert node
    return balancer.run(cluster, node, "envoy:1", LABELS)


def test_one_master_has_nothing_in_front() -> None:
    assert balancer.wanted(lab(1, 2).cluster) is None


def test_it_has_the_address_that_minikube_gives_the_api() -> None:
    words = run()
    assert words[words.index("--ip") + 1] == "10.201.7.254"
    assert words[words.index("--name") + 1] == "stacklab-dev-external-load-balancer"
    assert "stacklab.owner=0011223344556677" in words
    assert "stacklab.masters=10.201.7.11,10.201.7.12,10.201.7.13" in words


def test_it_asks_every_master_and_no_worker_for_its_health() -> None:
    given = json.loads(run()[-1])["static_resources"]
    (listener,), (cluster,) = given["listeners"], given["clusters"]
    assert listener["address"]["socket_address"]["port_value"] == 8443
    (endpoints,) = cluster["load_assignment"]["endpoints"]
    asked = [e["endpoint"]["address"]["socket_address"]["address"] for e in endpoints["lb_endpoints"]]
    assert asked == ["10.201.7.11", "10.201.7.12", "10.201.7.13"]
    (health,), (match,) = cluster["health_checks"], cluster["transport_socket_matches"]
    assert health["http_health_check"]["path"] == "/readyz"
    assert health["transport_socket_match_criteria"] == match["match"], "else the question is asked without TLS"
    assert cluster["close_connections_on_host_health_failure"] is True


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A program that keeps what it is called with; `run` fails when the test says so."""
    file = tmp_path / "engine" / "podman"
    file.parent.mkdir()
    file.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"open({str(tmp_path / 'calls')!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))\n"
        "sys.exit(int(os.environ.get('RUN_FAILS', 0)) if sys.argv[1] == 'run' else 0)\n"
    )
    file.chmod(0o755)
    return file


def calls(engine: Path, machine: str, masters: int = 3, fails: int = 0) -> tuple[int, list[list[str]]]:
    folder = engine.parent.parent
    script = folder / "podman"
    text = shim.render(
        lab(masters, 1), binary=str(engine), labels=LABELS, modules=None, cgroup_v1=False, aliases={"front": "10.0.0.9"}
    )
    script.write_text(text)
    script.chmod(0o755)
    words = [str(script), "run", "--name", machine, "-d", "image"]
    env = {**os.environ, "RUN_FAILS": str(fails)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10, env=env)
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


def test_on_a_master_of_several_kube_vip_is_written_into_nowhere(engine: Path) -> None:
    code, (made, linked) = calls(engine, "stacklab-dev-m02")
    assert (code, made[:3]) == (0, ["run", "--ip", "10.201.7.12"])
    assert linked == ["exec", "stacklab-dev-m02", "sh", "-c", balancer.WITHOUT_KUBE_VIP]
    assert balancer.WITHOUT_KUBE_VIP.endswith("ln -sfn /dev/null /etc/kubernetes/manifests/kube-vip.yaml")


@pytest.mark.parametrize(("machine", "masters"), [("stacklab-dev-m04", 3), ("stacklab-dev", 1)])
def test_nothing_else_is_done_to_a_worker_or_an_only_master(engine: Path, machine: str, masters: int) -> None:
    code, (made,) = calls(engine, machine, masters)
    assert (code, made[0]) == (0, "run")


def test_a_machine_that_does_not_start_is_told_as_it_is(engine: Path) -> None:
    code, (made,) = calls(engine, "stacklab-dev", fails=125)
    assert (code, made[0]) == (125, "run")


def test_nodes_join_by_their_role() -> None:
    several = lab(4, 1)
    assert command.made_by_start(several) == 3
    assert command.made_by_start(lab(3, 2)) == 5
    assert command.add_node(several, several.nodes[3])[2] == "--control-plane"
    assert command.add_node(several, several.nodes[4])[2] == "--worker"
