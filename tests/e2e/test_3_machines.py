"""The machines that other tests use are real ones, and nothing of them is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.artifacts import catalogue
from modules.artifacts.machine import payload, texts
from tests.support.machines import LABEL, Machines, machines

NETWORK = "stacklab-test-smoke"
ADDRESSES = {"one.smoke.internal": "10.203.77.11", "two.smoke.internal": "10.203.77.12"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(ADDRESSES, tmp_path_factory.mktemp("ssh"), network=NETWORK) as running:
        yield running
    for kind in ("ps", "--all"), ("network", "ls"), ("volume", "ls"):
        left = running.runs.run(*kind, "--quiet", f"--filter=label={LABEL}={NETWORK}", timeout=60).stdout
        assert left == "", kind


@pytest.mark.parametrize("name", ADDRESSES)
def test_it_answers_under_its_name_with_the_host_key_that_was_made_before(made: Machines, name: str) -> None:
    assert made.ssh(name, "hostname").stdout.strip() == name
    assert made.ssh(name, "ps -o comm= 1").stdout.strip() == "systemd"


def test_nothing_in_it_has_failed(made: Machines) -> None:
    said = made.ssh("one.smoke.internal", "systemctl --failed --no-legend --plain").stdout
    assert said.strip() == ""


def test_containerd_runs_with_our_configuration_and_has_the_images(made: Machines) -> None:
    name = "one.smoke.internal"
    assert made.ssh(name, "systemctl is-active containerd").stdout.strip() == "active"
    pause = payload.pause(catalogue.NEWEST.version)
    config = made.ssh(name, f"cat {texts.CONTAINERD_CONFIG}").stdout
    assert config == texts.containerd_config(pause)
    there = set(made.ssh(name, "ctr -n k8s.io images ls -q").stdout.split())
    wanted = made.ssh(name, f"cat {payload.IMAGES_LIST}").stdout.split()
    assert pause in wanted
    assert set(wanted) <= there


def test_the_kubelet_waits_for_kubeadm(made: Machines) -> None:
    name = "one.smoke.internal"
    assert made.ssh(name, "systemctl is-enabled kubelet").stdout.strip() == "enabled"
    assert made.ssh(name, "systemctl is-active kubelet", check=False).stdout.strip() == "inactive"
    assert catalogue.NEWEST.version in made.ssh(name, "kubeadm version -o short && kubelet --version").stdout


def test_machines_reach_each_other(made: Machines) -> None:
    other = ADDRESSES["two.smoke.internal"]
    made.ssh("one.smoke.internal", f"ping -c 1 -W 5 {other}")


def test_a_step_may_replace_the_hosts_file(made: Machines) -> None:
    script = "cp /etc/hosts /etc/hosts.new && echo 10.203.77.99 api.x >>/etc/hosts.new && mv /etc/hosts.new /etc/hosts"
    made.ssh("two.smoke.internal", f"{script} && getent hosts api.x")


def test_one_whose_power_went_comes_back_with_its_address(made: Machines) -> None:
    name = "two.smoke.internal"
    made.ssh(name, "echo 10.203.77.98 api.kept >>/etc/hosts")
    made.cut(name)
    begun = time.monotonic()
    made.start(name)
    made.ssh(name, "getent hosts api.kept")
    assert time.monotonic() - begun < 20


def test_a_plain_one_has_nothing_of_kubernetes(tmp_path: Path) -> None:
    name = "bare.smoke.internal"
    with machines({name: "10.203.78.11"}, tmp_path, network="stacklab-test-plain", plain=True) as bare:
        assert bare.ssh(name, "command -v containerd kubeadm kubelet ctr; ls /opt", check=False).stdout == ""
