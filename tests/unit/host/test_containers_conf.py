"""podman's configuration for each kind of host, as golden files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modules.host import containers_conf
from modules.host.facts import HostFacts
from tests.unit.host.hosts import CI, GOLDEN, LAPTOP


@pytest.mark.parametrize(
    ("name", "host", "runc"),
    [
        ("ci", CI, True),
        ("ci-without-runc", CI, False),
        ("unlimited-nproc", replace(CI, nofile=-1, nproc=-1), True),
        ("friendly-root", replace(LAPTOP, root=True), True),
        ("v2-without-systemd", replace(LAPTOP, systemd=False), True),
    ],
)
def test_rendered(name: str, host: HostFacts, runc: bool) -> None:
    assert containers_conf.render(host, runc=runc) == (GOLDEN / f"{name}.conf").read_text()


@pytest.mark.parametrize(
    ("version", "variable"),
    [((4, 3, 1), "CONTAINERS_CONF"), ((4, 4), "CONTAINERS_CONF_OVERRIDE"), ((5, 2, 1), "CONTAINERS_CONF_OVERRIDE")],
)
def test_newer_podman_keeps_the_users_own_files(version: tuple[int, ...], variable: str) -> None:
    assert containers_conf.variable(version) == variable
