"""Kubernetes' quantities."""

from __future__ import annotations

import pytest

from modules.dashboard.quantity import cores, millicores, number, size


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("2", 2), ("250m", 0.25), ("1500000n", 0.0015), ("12u", 12e-6), ("64Mi", 64 * 2**20), ("2Gi", 2 * 2**30)),
        *(("128974848", 128974848), ("129M", 129e6), ("12e6", 12e6), ("1k", 1000), ("0", 0), (3, 3), ("1Ei", 2**60)),
    ],
)
def test_every_form_that_kubernetes_writes(text: object, value: float) -> None:
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", [None, "", "many", "1.2.3", "5 Mi", "Mi"])
def test_what_is_no_quantity_is_no_number(text: object) -> None:
    assert number(text) is None


def test_as_people_read_them() -> None:
    assert (cores(2), cores(0.214), cores(1.5)) == ("2", "0.21", "1.5")
    assert (millicores(0.0034), millicores(1.2)) == ("3m", "1200m")
    assert (size(512), size(64 * 2**20), size(1000 * 2**20), size(40 * 2**30)) == (
        "512 B",
        "64 MiB",
        "1.0 GiB",
        "40.0 GiB",
    )
