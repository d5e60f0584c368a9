"""Machines prepared over SSH, made a cluster's, and given back as they were: bare Debian, and one that has everything.

The machines are system containers; what is done to them is what is done to any machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.artifacts import release
from modules.artifacts.catalogue import NEWEST
from modules.artifacts.machine.payload import ensure_payload
from modules.base import paths
from modules.base.errors import StacklabError
from modules.bootstrap import checks, engine, facts, fingerprint, hosts, reset
from modules.bootstrap.checks import Target, Wanted
from modules.bootstrap.kubeadm import init
from modules.bootstrap.kubeadm.spec import Cluster, Front, Node
from modules.bootstrap.steps import Wish, steps
from modules.machines.remote import Remote, close_all
from tests.support.machines import Machines, machines

VERSION = NEWEST.version
STACK = "prepare"
API = "api.stacklab-prepare.internal"


@pytest.fixture(autouse=True)
def own_files(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fingerprints go below a folder of the test's; the programs are this checkout's all the same."""
    monkeypatch.setattr(paths, "work", lambda: tmp_path_factory.getbasetemp() / "work")


@pytest.fixture(scope="module", params=["plain", "whole"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    plain = request.param == "plain"
    base = 84 if plain else 85
    addresses = {"m1.example.com": f"10.231.{base}.11"}
    folder = tmp_path_factory.mktemp("ssh")
    with machines(addresses, folder, network=f"stacklab-prepare-{request.param}", plain=plain) as found:
        yield found
        close_all(found.known_hosts)


@pytest.fixture
def remote(made: Machines) -> Remote:
    return Remote(made.login("m1.example.com"))


def wish_of(remote: Remote) -> Wish:
    login = remote.login
    entries: tuple[hosts.Entry, ...] = ((login.address, (login.machine, "m1")), (login.address, (API,)))
    return Wish(STACK, login.machine, "master", entries, ensure_payload(VERSION), "10.244.0.0/16")


def init_cluster(remote: Remote) -> None:
    login, row = remote.login, release(VERSION)
    seen = facts.parse(remote.run(facts.PROBE, timeout=60).stdout)
    cluster = Cluster(
        stack=STACK, name="stacklab-prepare", owner="the test", kubernetes=VERSION,
        front=Front(API, "", ((login.machine, login.address),)), pods="10.244.0.0/16", services="10.96.0.0/12",
        proxy="iptables", etcd_tag=row.etcd_tag, coredns_tag=row.coredns_tag,
    )  # fmt: skip
    node = Node(login.machine, "master", login.address, limits=seen.limits)
    init.ensure(cluster, [(node, remote)], print, alone=True)


def test_it_is_fit_for_a_lab(remote: Remote) -> None:
    answers = checks.ask([remote.login])
    targets = [Target(remote.login.machine, "master", remote.login.address)]
    found = checks.judge(targets, answers, Wanted(STACK, "the test", "x86_64"))
    assert [one for one in found if not one.note] == []


def test_prepared_once_and_given_back(remote: Remote) -> None:
    """A run that ends half way, one that goes on, one with nothing to do; a cluster; and all of it taken back."""
    wanted = steps(wish_of(remote))
    fingerprint.save(remote, STACK)
    foreseen = engine.describe(engine.look(remote, wanted))
    assert foreseen
    assert fingerprint.compare(remote, STACK) == [], "a look has changed something"

    def end_at(line: str) -> None:
        if ": units: " in line:  # new files are there, and containerd has not been started with them
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.apply(remote, wanted, end_at)
    engine.apply(remote, wanted, print)
    begun = time.monotonic()
    assert engine.describe(engine.look(remote, wanted)) == []
    assert time.monotonic() - begun < 3

    init_cluster(remote)
    assert "iptables" in " ".join(fingerprint.compare(remote, STACK))
    for _ in range(2):
        reset.reset(remote, STACK, print)
        assert fingerprint.compare(remote, STACK) == []


def test_another_labs_machine_is_left_alone(remote: Remote) -> None:
    remote.run("mkdir -p /var/lib/stacklab; echo other >/var/lib/stacklab/stack", timeout=30)
    try:
        with pytest.raises(StacklabError, match="belongs to the lab other"):
            reset.reset(remote, STACK, print)
        answers = checks.ask([remote.login])
        targets = [Target(remote.login.machine, "master", remote.login.address)]
        found = checks.judge(targets, answers, Wanted(STACK, "the test", "x86_64"))
        assert "the lab other has prepared it" in checks.table(found)
    finally:
        remote.run("rm -r /var/lib/stacklab", timeout=30)


def test_what_a_stranger_has_is_not_reset(remote: Remote, tmp_path: Path) -> None:
    remote.run("mkdir -p /etc/kubernetes; echo mine >/etc/kubernetes/kubelet.conf", timeout=30)
    try:
        reset.reset(remote, STACK, print)
        assert remote.read("/etc/kubernetes/kubelet.conf") == "mine\n"
    finally:
        remote.run("rm -r /etc/kubernetes", timeout=30)
