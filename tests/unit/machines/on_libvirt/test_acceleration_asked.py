"""Which acceleration machines get, by what libvirt offers and what is known of the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.base.errors import HostError
from modules.host import kvm
from modules.machines.libvirt import acceleration

OFFER = """\
<capabilities><host><cpu><arch>x86_64</arch></cpu></host>
<guest><arch name='x86_64'><domain type='qemu'/>{kvm}</arch></guest></capabilities>
"""


class Asked:
    """A connection that counts how often it had to start every QEMU for an answer."""

    def __init__(self, *, offers: bool) -> None:
        self.text, self.times = OFFER.format(kvm="<domain type='kvm'/>" if offers else ""), 0

    def getURI(self) -> str:  # noqa: N802  # libvirt's name
        return "qemu:///system"

    def getCapabilities(self) -> str:  # noqa: N802
        self.times += 1
        return self.text


@pytest.mark.parametrize(
    ("wanted", "offers", "known", "boots", "found", "times", "told"),
    [
        ("tcg", True, None, None, "tcg", 0, ""),
        ("kvm", True, None, None, "kvm", 1, ""),
        ("auto", True, True, None, "kvm", 0, ""),
        ("auto", True, False, None, "tcg", 0, "did not boot"),
        ("auto", True, None, True, "kvm", 1, ""),
        ("auto", True, None, False, "tcg", 1, "did not boot"),
        ("auto", False, None, None, "tcg", 1, "offers no KVM"),
    ],
)
def test_what_is_found_and_what_it_costs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: acceleration.Wanted,
    offers: bool,
    known: bool | None,
    boots: bool | None,
    found: str,
    times: int,
    told: str,
) -> None:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path))
    connection = Asked(offers=offers)
    said: list[str] = []
    key = acceleration.host_key(connection)
    if known is not None:
        kvm.remember(key, booted=known, uri="qemu:///system")

    def trial(*_: Any) -> bool:
        assert boots is not None
        return boots

    monkeypatch.setattr(acceleration, "_try", trial)
    assert find(connection, wanted, said.append) == found
    assert connection.times == times
    assert (told in said[0]) if told else not said
    if boots is not None:
        assert kvm.remembered("qemu:///system", key) is boots


def test_kvm_that_is_asked_for_and_not_offered() -> None:
    with pytest.raises(HostError, match="KVM is asked for"):
        find(Asked(offers=False), "kvm", print)


def find(connection: Any, wanted: acceleration.Wanted, tell: Any) -> str:
    return acceleration.find_out(
        connection,
        "qemu:///system",
        None,
        wanted,
        boot=None,
        disk="d",
        disk_format="raw",
        cluster="c",
        owner="o",
        tell=tell,
    )
