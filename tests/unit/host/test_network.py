"""Which ranges are taken: recorded routes and networks of podman and docker."""

from __future__ import annotations

import pytest

from modules.host import network
from modules.host.network import EngineNetwork, Route
from tests.unit.host.hosts import text

PODMAN = network.parse_networks(text("receipt/both/networks.json"))
DOCKER = network.parse_networks(text("laptop/networks.json"))
ROUTES = network.parse_routes(text("laptop/routes.json"))


def test_routes_are_unicast_destinations() -> None:
    """No default route, nothing of the local table, nothing unreachable; a host route gets its /32."""
    assert (
        Route("10.201.0.0/16", "tun0"),
        Route("172.17.0.0/16", "docker0"),
        Route("10.200.77.0/24", "br-3f1c9a7be210"),
        Route("192.168.1.0/24", "wlan0"),
        Route("198.51.100.7/32", "wlan0"),
    ) == ROUTES


def test_networks_of_podman() -> None:
    labels = (("stacklab.owner", "us"), ("stacklab.stack", "probea"))
    assert EngineNetwork("stacklab-probea", "podman1", ("10.203.7.0/24",), labels) in PODMAN
    assert [net.name for net in PODMAN] == ["podman", "stacklab-probea", "stacklab-probeb"]


def test_networks_of_docker() -> None:
    """The device is named after the id, unless an option says otherwise; host has no range."""
    assert [(net.name, net.device, net.ranges) for net in DOCKER] == [
        ("bridge", "docker0", ("172.17.0.0/16",)),
        ("host", "br-112233445566", ()),
        ("stacklab-dev", "br-3f1c9a7be210", ("10.200.77.0/24",)),
    ]


@pytest.mark.parametrize(
    ("wanted", "own", "expected"),
    [
        ("10.200.5.0/24", "", []),
        ("10.201.9.0/24", "", ["range 10.201.9.0/24 overlaps with 10.201.0.0/16, route of device tun0"]),
        ("192.168.0.0/16", "", ["range 192.168.0.0/16 overlaps with 192.168.1.0/24, route of device wlan0"]),
        ("10.200.77.0/24", "stacklab-dev", []),
        ("10.200.77.0/24", "", ["range 10.200.77.0/24 overlaps with 10.200.77.0/24, docker network stacklab-dev"]),
    ],
)
def test_overlaps(wanted: str, own: str, expected: list[str]) -> None:
    """A lab's own network is no conflict, neither as a network nor as the route of its device."""
    found = network.overlaps(wanted, ROUTES, DOCKER, own=own, engine="docker")
    assert [str(conflict) for conflict in found] == expected


def test_a_stopped_lab_has_no_route_but_keeps_its_range() -> None:
    found = network.overlaps("10.203.8.128/25", (), PODMAN, own="stacklab-probea", engine="podman")
    assert [conflict.by for conflict in found] == ["podman network stacklab-probeb"]


def test_addresses_of_another_family_do_not_overlap() -> None:
    assert network.overlaps("10.0.0.0/8", [Route("fd00::/64", "eth0")], ()) == ()
