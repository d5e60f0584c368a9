"""Which machines of a lab its API needs: those that `stacklab start` of emulated machines starts first."""

from __future__ import annotations

import pytest

import addons
from modules.cli import lifecycle, stacks
from modules.topology.known import Known
from modules.topology.parse import parse

SPEC = {
    "backend": "libvirt",
    "masters": [{"name": "m1", "address": "192.168.26.21"}],
    "workers": [{"name": f"w{n}", "address": f"192.168.26.3{n}"} for n in (1, 2, 3)],
    "network": {"machines": "192.168.26.0/24"},
}


@pytest.mark.parametrize(
    ("etcd", "control"), [({}, {"m1"}), ({"etcd": ["m1", "w1", "w2"]}, {"m1", "w1", "w2"})], ids=["stacked", "external"]
)
def test_masters_and_machines_with_etcd(
    monkeypatch: pytest.MonkeyPatch, etcd: dict[str, list[str]], control: set[str]
) -> None:
    known = Known(kubernetes=("1.36.3",), addons=addons.facts())
    monkeypatch.setattr(stacks, "load", lambda _: parse({**SPEC, **etcd}, known))
    assert set(lifecycle.virtual_machines("cka").control) == control
