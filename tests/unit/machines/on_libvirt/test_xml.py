"""What libvirt is told, word for word. UPDATE_GOLDEN=1 rewrites the golden files: read the difference."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from modules.host.libvirt import mark
from modules.machines.libvirt.spec import NetworkSpec
from modules.machines.libvirt.xml import domain, network, storage
from tests.unit.machines.on_libvirt.cases import DIRECT, DOMAIN, MARK, NETWORK, POOL

GOLDEN = Path(__file__).parent / "golden"
GIB = 1024**3
TEXTS = {
    "network.xml": network.render(NETWORK, MARK),
    "network-empty.xml": network.render(replace(NETWORK, hosts=()), MARK),
    "domain-tcg.xml": domain.render(DOMAIN, MARK),
    "domain-kvm.xml": domain.render(replace(DOMAIN, acceleration="kvm"), MARK),
    "domain-boot-loader.xml": domain.render(replace(DOMAIN, boot=None), MARK),
    "trial.xml": domain.trial("stacklab-cka.trial", f"{POOL}/log", DIRECT, "", ""),
    "trial-boot-loader.xml": domain.trial("stacklab-cka.trial", f"{POOL}/log", None, f"{POOL}/base", "qcow2"),
    "pool.xml": storage.pool(POOL),
    "volume.xml": storage.volume("seed", 374784),
    "overlay.xml": storage.overlay("disk", 20 * GIB, f"{POOL}/base", "qcow2"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_is_the_golden_one(name: str) -> None:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(TEXTS[name])
    assert TEXTS[name] == file.read_text()


def test_no_golden_file_is_left_over() -> None:
    assert {file.name for file in GOLDEN.glob("*.xml")} == set(TEXTS)


@pytest.mark.parametrize("name", ["network.xml", "domain-tcg.xml"])
def test_the_mark_can_be_read_again(name: str) -> None:
    assert mark.read(TEXTS[name]) == MARK


@pytest.mark.parametrize("text", ["<network/>", "not xml", "<domain><metadata/></domain>"])
def test_what_has_no_mark_is_nobodys(text: str) -> None:
    assert mark.read(text) is None


def test_a_name_with_markup_in_it_stays_a_name() -> None:
    text = network.render(NetworkSpec("a", "</name><x/>", "sl-a", "10.0.0.0/24", "10.0.0.1"), MARK)
    assert "<x" not in text
