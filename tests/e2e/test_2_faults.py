"""What goes wrong in a user's day: kills, removals behind our back, strangers, two labs at once."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from modules.artifacts.images import node_image
from modules.base.probe import Answer, wait_for
from modules.host import cgroups
from modules.host.engine import choose
from modules.local import containers as local
from tests.support.labs import SMALL, Lab
from tests.support.project import Project


@pytest.fixture
def small(project: Project) -> Iterator[Lab]:
    lab = Lab.of(project, "fault", SMALL)
    yield lab
    lab.remove()
    lab.receipt().ok()


def containers(lab: Lab) -> list[str]:
    """Names of the lab's running node containers."""
    listed = choose().run(
        "ps", "--filter", f"label=io.x-k8s.kind.cluster=stacklab-{lab.stack}", "--format", "{{.Names}}", timeout=30
    )
    return listed.stdout.split()


def network_is_there(lab: Lab) -> bool:
    listed = choose().run("network", "ls", "--format", "{{.Name}}", timeout=30)
    return f"stacklab-{lab.stack}" in listed.stdout.split()


def api_answers(lab: Lab) -> bool:
    kubeconfig = lab.project.folder / ".stacklab" / "labs" / lab.stack / "kubeconfig"
    if not kubeconfig.exists():
        return False
    asked = lab.project.run("kubectl", "--kubeconfig", str(kubeconfig), "get", "--raw", "/readyz", timeout=30)
    return asked.code == 0


MOMENTS: dict[str, Callable[[Lab], bool]] = {
    "network made": network_is_there,
    "containers running": lambda lab: bool(containers(lab)),
    "api answering": api_answers,
}


@pytest.fixture(scope="module")
def killed(project: Project) -> Iterator[Lab]:
    lab = Lab.of(project, "killed", SMALL)
    yield lab
    lab.remove()


def test_an_up_that_is_killed_again_and_again_is_finished_by_the_next(killed: Lab) -> None:
    for moment, reached in MOMENTS.items():
        killed.kill_up_when(moment, reached, containers)
    killed.up().ok()
    nodes = killed.get("nodes")["items"]
    assert [n["metadata"]["name"] for n in nodes] == [m["name"] for m in killed.outputs()["machines"]]
    killed.unchanged().ok()


def test_destroy_of_a_cluster_that_is_already_gone(killed: Lab) -> None:
    choose().run("rm", "-f", "-v", *containers(killed), timeout=60)
    killed.destroy().ok()
    killed.receipt().ok()


def test_what_was_killed_behind_the_engines_back_leaves_no_control_group() -> None:
    engine, name = choose(), "stacklab-fault-killed"
    script = "for group in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $group/left; done 2>/dev/null; exec sleep 600"
    words = ("--privileged", "--cgroupns=private", "--entrypoint=/bin/sh", node_image("1.36.3"), "-c", script)
    made = engine.run("run", "--detach", "--name", name, *words, timeout=60).stdout.strip()
    try:
        wait_for(
            "the container has groups of its own",
            lambda: Answer(any((group / "left").is_dir() for group in cgroups.left([made])) or None),
            timeout=30,
        )
        state = json.loads(engine.run("inspect", name, timeout=30).stdout)[0]["State"]
        for pid in (state["ConmonPid"], state["Pid"]):
            os.kill(pid, signal.SIGKILL)
        local.remove(engine, local.find(engine, names=[name]))
        assert not list(cgroups.left([made]))
    finally:
        engine.run("rm", "--force", "--volumes", name, timeout=30, check=False)


def test_a_strangers_network_of_our_name_stays_untouched(small: Lab) -> None:
    engine = choose()
    name = f"stacklab-{small.stack}"
    engine.run("network", "create", "--subnet", "10.204.77.0/24", name, timeout=30)
    try:
        refused = small.up()
        assert refused.code != 0
        assert name in refused.output
        left = json.loads(engine.run("network", "inspect", name, timeout=30).stdout)
        assert "10.204.77.0/24" in json.dumps(left)
    finally:
        engine.run("network", "rm", name, timeout=30)


def test_a_strangers_cluster_of_our_name_stays_untouched(small: Lab) -> None:
    engine = choose()
    name = f"stacklab-{small.stack}"
    image = node_image("1.36.3")
    machine = f"{name}-control-plane"
    engine.run("create", "--name", machine, "--label", f"io.x-k8s.kind.cluster={name}", image, timeout=60)
    try:
        made = engine.run("inspect", machine, "--format", "{{.Id}}", timeout=30).stdout
        refused = small.up()
        assert refused.code != 0
        assert f"{machine} is there already" in refused.output
        assert engine.run("inspect", machine, "--format", "{{.Id}}", timeout=30).stdout == made
    finally:
        engine.run("rm", "--force", "--volumes", machine, timeout=30)


@pytest.mark.long
def test_two_labs_stand_side_by_side(small: Lab, project: Project) -> None:
    other = Lab.of(project, "second", SMALL)
    try:
        beside = other.start_up()
        small.up().ok()
        shown, _ = beside.communicate(timeout=300)
        assert beside.returncode == 0, shown
        ours, theirs = small.outputs(), other.outputs()
        for key in ("kubeconfigFile", "endpoint"):
            assert ours[key] != theirs[key]
        assert not {m["address"] for m in ours["machines"]} & {m["address"] for m in theirs["machines"]}
        other.destroy().ok()
        assert small.get("nodes")["items"]
    finally:
        other.remove()
