"""The small values: what is read, what is refused, and what is proposed instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from modules.topology import values as v

READ: list[tuple[Callable[[object], Any], object, str]] = [
    (v.parse_size, "512MiB", "536870912"),
    (v.parse_size, "2GiB", "2147483648"),
    (v.parse_size, "64KiB", "65536"),
    (v.parse_network, "10.96.0.0/12", "10.96.0.0/12"),
    (v.parse_address, "192.168.26.21", "192.168.26.21"),
    (v.parse_range, "10.0.0.1 - 10.0.0.9", "10.0.0.1-10.0.0.9"),
    (v.parse_endpoint, "vip:10.0.0.9", "10.0.0.9"),
    (v.parse_volume, "1GiB at /data/db", "1GiB at /data/db"),
    (v.parse_cpu, "100m", "100"),
    (v.parse_cpu, 0.5, "500"),
    (v.parse_cpu, 2, "2000"),
]
REFUSED: list[tuple[Callable[[object], Any], object, str]] = [
    (v.parse_size, "2GB", "2GiB"),
    (v.parse_size, "2Gi", "2GiB"),
    (v.parse_size, "2 gib", "2GiB"),
    (v.parse_size, "0GiB", ""),
    (v.parse_size, "big", ""),
    (v.parse_size, 512, "512MiB or 512GiB"),
    (v.parse_size, True, ""),
    (v.parse_network, "10.244.0.0", "10.244.0.0/16"),
    (v.parse_network, "10.244.3.0", "10.244.3.0/24"),
    (v.parse_network, "10.244.1.0/16", "10.244.0.0/16"),
    (v.parse_network, "10.244.0.0/40", ""),
    (v.parse_network, "fd00::/48", ""),
    (v.parse_address, "192.168.26.1/24", "192.168.26.1"),
    (v.parse_address, "192.168.26", ""),
    (v.parse_range, "10.0.0.1-9", "10.0.0.1-10.0.0.9"),
    (v.parse_range, "10.0.0.9-10.0.0.1", "10.0.0.1-10.0.0.9"),
    (v.parse_range, "10.0.0.0/24", ""),
    (v.parse_endpoint, "10.0.0.9", "vip:10.0.0.9"),
    (v.parse_volume, "1GiB", "1GiB at /data"),
    (v.parse_volume, "1GB at /data", "1GiB at /data"),
    (v.parse_volume, "1GiB at data", "1GiB at /data"),
    (v.parse_volume, "1GiB at /../..//etc", ""),
    (v.parse_cpu, "0.5", "0.5"),
    (v.parse_cpu, 0, ""),
    (v.parse_cpu, 0.0005, ""),
    (v.parse_cpu, True, ""),
]


@pytest.mark.parametrize(("parse", "written", "read"), READ)
def test_a_right_value_is_read(parse: Callable[[object], Any], written: object, read: str) -> None:
    assert str(parse(written)) == read


@pytest.mark.parametrize(("parse", "written", "proposed"), REFUSED)
def test_a_wrong_value_is_refused_with_what_was_meant(
    parse: Callable[[object], Any], written: object, proposed: str
) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse(written)
    assert (caught.value.context or {})["hint"] == proposed


@given(st.integers(1, 2**45))
def test_a_size_that_is_shown_is_read_as_the_same(kib: int) -> None:
    assert v.parse_size(v.format_size(kib * 1024)) == kib * 1024
