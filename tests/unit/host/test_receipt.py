"""The receipt: recorded states of a real host with two labs, and things planted into them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modules.base import paths
from modules.host import engine, firewall, network, receipt, snapshot, traces
from modules.host.receipt import Receipt
from modules.host.traces import Item, Snapshot
from tests.unit.host.hosts import text


def recorded(state: str, program: str = "podman", us: str = "us") -> Snapshot:
    """A snapshot from what the host's programs printed in that state."""
    containers, alive = traces.parse_containers(text(f"{state}/containers.json"), program, us)
    nets, known = traces.from_networks(network.parse_networks(text(f"{state}/networks.json")), program, us)
    items = [*containers, *nets, *traces.from_routes(network.parse_routes(text(f"{state}/routes.json")))]
    items += traces.from_rules(firewall.parse_iptables(text(f"{state}/iptables.txt"), "iptables"))
    if program == "podman":
        items += [*traces.parse_volumes(text(f"{state}/volumes.json"), program, us)[0]]
        items += traces.parse_links(text(f"{state}/links.json"))
        items += traces.parse_mounts(text(f"{state}/mounts.txt"))
        items += traces.parse_hierarchies(text(f"{state}/cgroups.txt"))
        items += traces.from_groups(text(f"{state}/groups.txt").splitlines(), "/sys/fs/cgroup")
        items += map(traces.from_engine_file, map(Path, text(f"{state}/engine-files.txt").splitlines()))
    return Snapshot(tuple(items), (*alive, *known))


QUIET, BOTH, OTHER = recorded("receipt/before"), recorded("receipt/both"), recorded("receipt/other-lab-only")
EMPTY: receipt.Fingerprint = {}
ID = "f" * 64


def named(found: Receipt) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in found.leftovers]


def plus(now: Snapshot, *items: Item) -> Snapshot:
    return replace(now, items=(*now.items, *items))


def before(now: Snapshot = QUIET) -> receipt.Fingerprint:
    return receipt.fingerprint(now, "probea")


def test_nothing_happened() -> None:
    assert receipt.judge(before(), QUIET, "probea") == Receipt("probea", True, (), (), (), (), ())


def test_a_living_lab_is_named_by_its_roots() -> None:
    """Links, routes, rules, mounts, cgroups and files of its container and network go with them."""
    found = receipt.judge(before(), BOTH, "probea")
    assert named(found) == [
        ("container", "stacklab-probea-control-plane"),
        ("network", "stacklab-probea"),
    ]
    assert found.leftovers[0].command == "podman rm --force --volumes stacklab-probea-control-plane"


def test_another_lab_that_lives_is_not_blamed_on_this_one() -> None:
    """It was made after the fingerprint: some forty new things on the host."""
    assert len(set(OTHER.items) - set(QUIET.items)) > 30
    found = receipt.judge(before(), OTHER, "probea")
    assert named(found) == []
    assert {one.name for one in found.others} == {"stacklab-probeb-control-plane", "stacklab-probeb"}


def test_what_podman_makes_at_first_use_is_told_apart() -> None:
    """On a host that never ran a container, its chains, its mount and its cgroups stay: not the lab's."""
    found = receipt.judge(EMPTY, QUIET, "probea")
    residue = {one.name for one in found.residue}
    assert "iptables -t filter -N NETAVARK_FORWARD" in residue
    assert "/run/netns" in residue
    assert "/sys/fs/cgroup/pids/libpod_parent" in residue
    assert {one.kind for one in found.leftovers} <= {"cgroup hierarchy"}


def test_what_docker_makes_at_first_use_is_told_apart() -> None:
    lab_gone = recorded("laptop", "docker")
    gone = replace(lab_gone, living=tuple(one for one in lab_gone.living if one.owner != "dev"))
    found = receipt.judge({"container": frozenset({"postgres"})}, gone, "dev")
    assert "iptables -t filter -N DOCKER" in {one.name for one in found.residue}
    # A rule for an address or a bridge of a lab is the lab's, though it stands in docker's own chain.
    left = {name for kind, name in named(found) if kind == "firewall"}
    assert any("-A DOCKER -d 10.200.77.11/32" in name for name in left)
    assert any("-s 10.200.77.0/24" in name for name in left)
    assert not any("docker0" in name for name in left)


@pytest.mark.parametrize(
    ("kind", "name", "detail"),
    [
        ("link", "stacklab-br0", "stacklab-br0 bridge "),
        ("link", "veth9", "veth9 veth podman9"),
        ("firewall", "iptables -t nat -A POSTROUTING -s 10.203.7.0/24 -o podman1 -j MASQUERADE", ""),
        ("firewall", "iptables -t filter -A NETAVARK_FORWARD -d 10.203.7.0/24 -j ACCEPT", ""),
        ("firewall", "iptables -t nat -A NETAVARK-HOSTPORT-DNAT -p tcp -j NETAVARK-DN-0123456789ABC", ""),
        ("cgroup", "/sys/fs/cgroup/pids/kubepods", ""),
        ("cgroup", f"/sys/fs/cgroup/pids/libpod_parent/libpod-{ID}", ""),
        ("cgroup hierarchy", "hugetlb", ""),
        ("mount", "/run/netns/netns-0", ""),
        ("mount", f"/var/lib/containers/storage/overlay-containers/{ID}/userdata/shm", ""),
        ("volume", ID, ""),
        ("volume", "stacklab-probea-data", ""),
        ("process", "99 kubectl --kubeconfig /x/.stacklab/labs/probea/kubeconfig port-forward", ""),
        ("process", "98 conmon", "conmon -n stacklab-probea-worker2"),
        ("engine file", "/etc/containers/networks/stacklab-probea.json", ""),
        ("container", "stacklab-probea-worker", ""),
    ],
)
@pytest.mark.parametrize("now", [QUIET, OTHER], ids=["quiet", "another lab lives"])
def test_left_behind(now: Snapshot, kind: str, name: str, detail: str) -> None:
    item = Item(kind, name, detail, remove="the command")
    found = receipt.judge(before(), plus(now, item), "probea")
    assert [(one.kind, one.name, one.command) for one in found.leftovers] == [(kind, name, "the command")]


@pytest.mark.parametrize(
    ("kind", "name", "detail"),
    [
        ("link", "tun0", "tun0 tun "),
        ("route", "10.8.0.0/24 dev tun0", ""),
        ("firewall", "iptables -t filter -A INPUT -p tcp --dport 22 -j ACCEPT", ""),
        ("container", "postgres", ""),
        ("network", "someones", ""),
        ("hosts line", "192.0.2.9 printer", ""),
        ("process", "97 conmon", "conmon -n stacklab-probea-two-worker"),
        ("process", "96 kubectl", "kubectl --kubeconfig /x/.stacklab/labs/probea2/kubeconfig"),
        ("kubeconfig context", "work", ""),
    ],
)
def test_a_strangers(kind: str, name: str, detail: str) -> None:
    found = receipt.judge(before(), plus(QUIET, Item(kind, name, detail)), "probea")
    assert named(found) == []
    assert [(one.kind, one.name) for one in found.others] == [(kind, name)]


def test_a_route_over_a_link_that_is_left_is_left_too() -> None:
    link, route = Item("link", "podman7", "podman7 bridge "), Item("route", "10.203.7.0/24 dev podman7")
    found = receipt.judge(before(), plus(QUIET, link, route), "probea")
    assert named(found) == [("link", "podman7"), ("route", "10.203.7.0/24 dev podman7")]


def test_of_nested_cgroups_the_outermost_is_named() -> None:
    nested = [Item("cgroup", f"/sys/fs/cgroup/pids/kubepods{more}") for more in ("", "/burstable", "/burstable/pod1")]
    assert named(receipt.judge(before(), plus(QUIET, *nested), "probea")) == [
        ("cgroup", "/sys/fs/cgroup/pids/kubepods")
    ]


def test_images_are_kept_on_purpose() -> None:
    found = receipt.judge(before(), plus(QUIET, Item("image", "localhost/stacklab/node:v1")), "probea")
    assert named(found) == []
    assert [one.name for one in found.images] == ["localhost/stacklab/node:v1"]


def test_a_fingerprint_taken_while_the_lab_lives_does_not_hide_it() -> None:
    assert len(receipt.judge(before(BOTH), BOTH, "probea").leftovers) == 2


def test_a_strangers_object_named_like_the_lab_stays_the_strangers() -> None:
    """It was there before `up`, which then refused to run."""
    stranger = plus(QUIET, Item("container", "stacklab-probea-control-plane"))
    assert named(receipt.judge(before(stranger), stranger, "probea")) == []


def test_a_lab_of_the_same_name_in_another_checkout_is_another_lab() -> None:
    theirs = recorded("receipt/both", us="somebody else")
    assert not [one for one in receipt.judge(before(), theirs, "probea").leftovers if one.kind == "container"]


def test_without_a_fingerprint_only_marked_things_count() -> None:
    unmarked = plus(BOTH, Item("volume", ID), Item("link", "veth9", "veth9 veth "))
    named_after_it = Item("volume", "stacklab-probea-data")
    found = receipt.judge(None, plus(unmarked, named_after_it), "probea")
    assert [kind for kind, _ in named(found)] == ["container", "network", "volume"]
    assert not found.fingerprint


def test_lines_of_the_hosts_file_belong_to_their_block() -> None:
    lines = "127.0.0.1 localhost\n# stacklab:probea begin\n10.200.1.2 kubia.example.com\n# stacklab:probea end\n::1 x\n"
    owned = [(item.name, item.owner) for item in traces.parse_hosts(lines)]
    assert owned[0] == ("127.0.0.1 localhost", "")
    assert {owner for _, owner in owned[1:4]} == {"probea"}
    assert owned[4] == ("::1 x", "")


def test_contexts_of_labs_in_the_users_kubeconfig() -> None:
    found = list(traces.parse_contexts("contexts: [{name: kind-stacklab-dev}, {name: work}]"))
    assert [(item.name, item.owner) for item in found] == [("kind-stacklab-dev", "dev"), ("work", "")]
    assert list(traces.parse_contexts("{broken: [")) == []


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Snapshot]:
    """What the next looks at the host see; the last one stays."""
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    states: list[Snapshot] = [QUIET]
    monkeypatch.setattr(engine, "choose", lambda: None)
    monkeypatch.setattr(snapshot, "take", lambda _: states.pop(0) if len(states) > 1 else states[0])
    return states


def test_save_then_compare(looks: list[Snapshot]) -> None:
    receipt.save("probea")
    stray = Item("link", "veth9", "veth9 veth ")
    looks[:] = [plus(BOTH, stray)]
    paths.lab("probea").mkdir(parents=True)
    receipt.save("probea")  # a second `up`: the fingerprint from before the first stays
    assert len(receipt.receipt("probea", settle=0).leftovers) == 3
    looks[:] = [plus(OTHER, stray)]
    assert named(receipt.receipt("probea", settle=0)) == [("link", "veth9")]
    looks[:] = [OTHER]
    assert receipt.compare("probea") == []


def test_a_lab_that_is_gone_gets_a_new_fingerprint(looks: list[Snapshot]) -> None:
    receipt.save("probea")
    looks[:] = [plus(QUIET, Item("volume", ID))]
    receipt.save("probea")
    assert receipt.compare("probea") == []


def test_what_goes_away_by_itself_is_waited_for(looks: list[Snapshot]) -> None:
    receipt.save("probea")
    looks[:] = [plus(QUIET, Item("link", "veth9", "veth9 veth ")), QUIET]
    assert receipt.receipt("probea", settle=3).leftovers == ()


def test_a_host_without_an_engine_says_what_it_did_not_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    assert snapshot.take(None).unread[0] == "containers, networks, volumes: no container engine works"
