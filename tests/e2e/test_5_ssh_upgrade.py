"""One master and one worker over SSH: begun under faults, brought to another version, a machine replaced.

The machines are system containers. Each test goes on from where the one before left the lab.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.labs import Lab
from tests.support.machines import Machines, machines
from tests.support.project import Project
from tests.support.ssh_labs import (
    AFTER,
    BEFORE,
    addresses,
    all_ready,
    all_run,
    lab_of,
    nodes,
    refused_in_a_preview,
    spec,
)

SUBNET = "10.231.94"
# Debian's smallest has no pkill.
END_SESSIONS = """\
for process in /proc/[0-9]*; do
    case $(tr '\\0' ' ' <$process/cmdline) in 'sshd: root'*) kill -KILL ${process#/proc/} ;; esac
done
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("ssh")
    with machines(addresses(SUBNET, 1, 1), folder, network="stacklab-small", kubernetes=AFTER) as found:
        yield found


@pytest.fixture(scope="module")
def lab(project: Project, made: Machines) -> Iterator[Lab]:
    with lab_of(project, "small5", spec(made, 1, 1, kubernetes=BEFORE)) as small:
        yield small


def test_an_up_that_is_cut_in_the_middle_says_so_and_is_finished_by_the_next(lab: Lab, made: Machines) -> None:
    full = "/var/lib/kubelet"
    for moment in ("m1: kubeadm init, ", "m1: kubeadm: [addons]", "w1: kubeadm: [preflight]"):
        lab.kill(up_until(lab, moment))

    running = up_until(lab, "w1: kubeadm: [preflight]")
    made.execute("w1", END_SESSIONS)
    said, _ = running.communicate(timeout=300)
    assert running.returncode != 0
    assert "w1" in said
    assert "next: " in said
    assert "Traceback" not in said

    # No file fits in there: what takes back the last try empties the folder, but not the limit.
    made.execute("w1", f"mkdir -p {full} && mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs {full}")
    failed = lab.up()
    assert failed.code != 0
    assert "no space left on device" in failed.output
    assert "w1" in failed.output
    assert "Traceback" not in failed.output

    made.execute("w1", f"! mountpoint -q {full} || umount {full}")
    lab.up().ok()
    all_ready(lab, "m1", "w1")
    lab.unchanged().ok()


def test_another_version_of_kubernetes_is_an_edit(lab: Lab) -> None:
    lab.spec["kubernetes"] = BEFORE
    lab.up().ok()  # of these tests it may be the first
    assert {n["status"]["nodeInfo"]["kubeletVersion"] for n in nodes(lab).values()} == {f"v{BEFORE}"}
    lab.spec["kubernetes"] = AFTER
    said = lab.up().ok().output
    assert f"m1: kubeadm upgrade apply v{AFTER}" in said
    assert said.index("m1: kubelet") < said.index("w1: kubelet")
    all_run(lab, AFTER, "m1", "w1")
    lab.unchanged().ok()


def test_kubernetes_cannot_go_back(lab: Lab) -> None:
    lab.up().ok()
    refused_in_a_preview(lab, {"kubernetes": BEFORE}, f"Kubernetes cannot go back from {AFTER} to {BEFORE}")


def test_a_broken_machine_is_replaced(lab: Lab, made: Machines) -> None:
    lab.up().ok()
    before = nodes(lab)["w1"]["metadata"]["uid"]
    made.replace("w1")
    refused = lab.up("--refresh")
    assert refused.code != 0
    command = re.search(r"ssh-keygen -f \S+ -R \S+", refused.output)
    assert command, refused.output
    lab.project.run("sh", "-c", command.group()).ok()
    lab.up("--refresh").ok()
    all_run(lab, lab.spec["kubernetes"], "m1", "w1")
    assert nodes(lab)["w1"]["metadata"]["uid"] != before
    lab.unchanged().ok()


def test_after_destroy_nothing_of_it_is_left(lab: Lab, made: Machines) -> None:
    lab.destroy().ok()
    for name in ("m1", "w1"):
        assert made.ssh(name, "ls -d /etc/kubernetes /etc/stacklab /var/lib/stacklab", check=False).stdout == "", name
    lab.receipt().ok()


def up_until(lab: Lab, moment: str) -> subprocess.Popen[str]:
    """An `up` that has just said so, and goes on."""
    running = lab.start_up()
    assert running.stdout
    said = ""
    for line in running.stdout:  # ends with the command, at the latest
        said += line
        if moment in line:
            return running
    raise AssertionError(f"up ended without '{moment}':\n{said}")
