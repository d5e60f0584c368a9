"""Parsers of a stack file's small values: sizes, addresses, ranges, volumes; with a hint when nearly right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from modules.topology.written import a_text as _text
from modules.topology.written import wrong

KIB = 1024
UNITS = {"KiB": KIB, "MiB": KIB**2, "GiB": KIB**3, "TiB": KIB**4}


@dataclass(frozen=True)
class Range:
    """IPv4 addresses from first to last, both included."""

    first: IPv4Address
    last: IPv4Address

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def __contains__(self, address: IPv4Address) -> bool:
        return self.first <= address <= self.last


@dataclass(frozen=True)
class Volume:
    """A claim on the lab's StorageClass: bytes, mounted at path."""

    size: int
    path: str

    def __str__(self) -> str:
        return f"{format_size(self.size)} at {self.path}"


def parse_size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong("a size needs its unit", f"{value}MiB or {value}GiB")
    text = _text(value)
    found = re.fullmatch(r"([1-9][0-9]*)(KiB|MiB|GiB|TiB)", text)
    if found:
        return int(found[1]) * UNITS[found[2]]
    raise wrong("this is not a size", _mended(text))


def _mended(text: str) -> str:
    """2GB, 2 gib and 2Gi were meant as 2GiB."""
    near = re.fullmatch(r"\s*([1-9][0-9]*)\s*([kmgt])i?b?\s*", text, re.IGNORECASE)
    return f"{near[1]}{near[2].upper()}iB" if near else ""


def format_size(size: int) -> str:
    """The shortest exact spelling: 2147483648 -> 2GiB."""
    for unit, factor in reversed(UNITS.items()):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_network(value: object) -> IPv4Network:
    text = _text(value)
    if ":" in text:
        raise wrong("labs speak IPv4 only")
    if "/" not in text:
        length = 16 if text.endswith(".0.0") else 24
        raise wrong("a network needs its length", f"{text}/{length}" if _is_address(text) else "")
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError):
        raise wrong("this is not a network") from None
    except ValueError:  # bits beyond the length are set
        raise wrong(
            "this is an address inside a network, not the network", str(IPv4Network(text, strict=False))
        ) from None


def parse_address(value: object) -> IPv4Address:
    text = _text(value)
    if ":" in text:
        raise wrong("labs speak IPv4 only")
    if not _is_address(text):
        raise wrong("this is not an address", text.split("/")[0] if _is_address(text.split("/")[0]) else "")
    return IPv4Address(text)


def parse_range(value: object) -> Range:
    text = _text(value)
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash and _is_address(first) and last.isdigit():
        raise wrong("both ends of a range are whole addresses", f"{first}-{first.rsplit('.', 1)[0]}.{last}")
    if not dash or not _is_address(first) or not _is_address(last):
        raise wrong("this is not a range of addresses")
    result = Range(IPv4Address(first), IPv4Address(last))
    if result.last < result.first:
        raise wrong("this range ends before it begins", f"{last}-{first}")
    return result


def parse_endpoint(value: object) -> IPv4Address:
    text = _text(value)
    if text.startswith("vip:"):
        return parse_address(text.removeprefix("vip:").strip())
    raise wrong("this is not an endpoint", f"vip:{text}" if _is_address(text) else "")


def parse_volume(value: object) -> Volume:
    text = _text(value)
    size, _, path = (part.strip() for part in text.partition(" at "))
    if not path:
        raise wrong("a volume is a size and the folder it is mounted at", f"{size} at /data" if _is_size(size) else "")
    if not _is_folder(path):
        mended = "/" + path.strip("/")
        raise wrong("the folder of a volume is an absolute path", f"{size} at {mended}" if _is_folder(mended) else "")
    if not _is_size(size) and (mended := _mended(size)):
        raise wrong("the size of this volume is not a size", f"{mended} at {path}")
    return Volume(parse_size(size), path)


def parse_cpu(value: object) -> int:
    """Millicores."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        milli = value * 1000
        if milli > 0 and milli == int(milli):
            return int(milli)
        raise wrong("this is not an amount of CPU")
    text = _text(value)
    if re.fullmatch(r"[1-9][0-9]*m", text):
        return int(text[:-1])
    raise wrong("this is not an amount of CPU", text if _is_number(text) else "")


def format_cpu(milli: int) -> str:
    return f"{milli}m"


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?", text))


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _is_size(text: str) -> bool:
    return bool(re.fullmatch(r"[1-9][0-9]*(KiB|MiB|GiB|TiB)", text))


def _is_folder(path: str) -> bool:
    return bool(re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+", path))
