"""One student's lab: the template moved into the student's own network, and nothing else changed."""

from __future__ import annotations

from ipaddress import IPv4Network

from modules.classroom import labs
from modules.classroom.labs import Place, lab_data
from modules.topology.parse import parse
from modules.topology.plan import plan
from tests.unit.classroom.conftest import TEMPLATE, VMS, Make
from tests.unit.topology.small import KNOWN


def test_addresses_keep_their_place_in_the_network(make: Make) -> None:
    kind = make(template_data=VMS).usual
    data = lab_data(kind.wanted, kind.spec, "s07", Place(IPv4Network("10.208.7.0/24"), "qemu+ssh://lab-1/system"))
    lab = plan(parse(data, KNOWN), "cka-s07")
    assert [(m.name, m.address) for m in lab.machines] == [
        ("m.example.org", "10.208.7.21"),
        ("w.example.org", plan(kind.spec, "x").machines[1].address.replace("192.168.26.", "10.208.7.")),
    ]
    assert lab.network.loadbalancers == ("10.208.7.40", "10.208.7.50")
    assert lab.network.endpoint == "10.208.7.30"
    assert lab.libvirt.uri == "qemu+ssh://lab-1/system"
    assert kind.wanted == VMS, "the template itself stays as it is"


def test_host_names_are_the_students_own(make: Make) -> None:
    app = {"name": "web", "expose": [{"ingress": {"host": "shop.example.org"}}, {"nodeport": {"port": 30080}}]}
    kind = make(template_data={**TEMPLATE, "apps": [app, {"name": "kubia", "expose": [{"ingress": None}]}]}).usual
    data = lab_data(kind.wanted, kind.spec, "s07", Place(IPv4Network("10.208.7.0/24")))
    assert data["apps"][0]["expose"][0]["ingress"]["host"] == "s07.shop.example.org"
    assert data["apps"][0]["expose"][1] == {"nodeport": {"port": 30080}}
    assert data["apps"][1]["expose"][0]["ingress"]["host"] == "s07.kubia.example.com"
    assert "libvirt" not in data


def test_small_networks_leave_room_for_what_stands_before_several_masters(make: Make) -> None:
    kind = make(template_data={**TEMPLATE, "backend": "minikube", "masters": 3}, addresses={"each": 26}).usual
    lab = plan(parse(lab_data(kind.wanted, kind.spec, "s07", Place(IPv4Network("10.208.7.0/26"))), KNOWN), "cka-s07")
    assert (lab.network.endpoint, lab.network.loadbalancers) == ("10.208.7.62", ("10.208.7.48", "10.208.7.61"))


def test_small_networks_hold_a_whole_lab(make: Make) -> None:
    made = make(template_data={**TEMPLATE, "workers": 20}, addresses={"each": 26})
    kind = made.usual
    networks = [labs.network_of(made.spec.addresses, slot) for slot in (0, 1, labs.room(made.spec.addresses) - 1)]
    for network in networks:
        lab = plan(parse(lab_data(kind.wanted, kind.spec, "s07", Place(network)), KNOWN), "cka-s07")
        addresses = {*(m.address for m in lab.machines), *lab.network.loadbalancers, lab.network.gateway}
        assert len(addresses) == 24
        assert all(IPv4Network(f"{address}/32").subnet_of(network) for address in addresses)
    assert networks[-1].broadcast_address == made.spec.addresses.range.broadcast_address
