"""The named types of the model's fields: each joins a parser with the words and the pattern that describe it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from modules.topology import values as v
from modules.topology.written import Written, matching, or_word, wrong

T = TypeVar("T")


def key(default: Any, description: str, *, example: Any = None, allowed: str = "", **limits: Any) -> Any:
    """A key with a default, given as it is written in the file and parsed like it."""
    examples = None if example is None else [example]
    words: Any = {"x-allowed": allowed} if allowed else None
    return Field(default, description=description, examples=examples, json_schema_extra=words, **limits)


class Strict(BaseModel):
    """What every part of the stack file is: no unknown keys, no conversions, no changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, validate_default=True)


def _items(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, tuple):
        return value
    raise wrong("a list is wanted here")


AS_TUPLE = BeforeValidator(_items)
Items = Annotated[tuple[T, ...], AS_TUPLE]

_SIZE = r"[1-9][0-9]*(?:KiB|MiB|GiB|TiB)"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_ADDRESS = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_CIDR = rf"{_ADDRESS}/(?:3[0-2]|[12]?[0-9])"
_RANGE = rf"{_ADDRESS} *- *{_ADDRESS}"
_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_APP = r"[a-z](?:[-a-z0-9]*[a-z0-9])?"
_FOLDER = r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._-]+)+"
_KEY = rf"(?:{_HOST}/)?[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?)?"
_IMAGE = (
    r"[a-z0-9][A-Za-z0-9._-]*(?::[0-9]+)?(?:/[a-z0-9._-]+)*(?::[A-Za-z0-9_][A-Za-z0-9._-]*)?(?:@sha256:[0-9a-f]{64})?"
)
_URL = r"https?://[^\s]+"
_CRON = r"@(?:yearly|monthly|weekly|daily|hourly)|[^\s@]+(?: +[^\s]+){4}"

Size = Annotated[int, Written(v.parse_size, "a size such as 512MiB or 2GiB", "2GiB", _SIZE)]
Cidr = Annotated[IPv4Network, Written(v.parse_network, "an IPv4 network such as 10.244.0.0/16", "10.244.0.0/16", _CIDR)]
Address = Annotated[
    IPv4Address, Written(v.parse_address, "an IPv4 address such as 192.168.26.21", "192.168.26.21", _ADDRESS)
]
CidrOrAuto = Annotated[
    IPv4Network | None,
    Written(
        or_word("auto", v.parse_network),
        "auto, or an IPv4 network such as 192.168.26.0/24",
        "192.168.26.0/24",
        rf"auto|{_CIDR}",
    ),
]
RangeOrAuto = Annotated[
    v.Range | None,
    Written(
        or_word("auto", v.parse_range),
        "auto, or a range such as 192.168.26.200-192.168.26.220",
        "192.168.26.200-192.168.26.220",
        rf"auto|{_RANGE}",
    ),
]
EndpointOrNone = Annotated[
    IPv4Address | None,
    Written(
        or_word("none", v.parse_endpoint),
        "none, or a virtual address such as vip:192.168.26.20",
        "vip:192.168.26.20",
        rf"none|vip: *{_ADDRESS}",
    ),
]
VolumeOrNone = Annotated[
    v.Volume | None,
    Written(
        or_word("none", v.parse_volume),
        "none, or a size and a folder: 1GiB at /data",
        "1GiB at /data",
        rf"none|{_SIZE} +at +{_FOLDER}",
    ),
]
Cpu = Annotated[
    int, Written(v.parse_cpu, "an amount of CPU such as 100m, 0.5 or 2", "100m", r"[1-9][0-9]*m", "string|number")
]


def _dns(text: str) -> str:
    return text.strip().lower().replace("_", "-").replace(" ", "-").strip("-.")


AppName = Annotated[
    str,
    Written(
        matching(_APP, "this is not a name that DNS can hold", _dns, longest=40),
        "a DNS label: a-z, 0-9 and -, a letter first, 40 characters at most",
        "kubia",
        _APP,
    ),
]
HostName = Annotated[
    str,
    Written(
        matching(_HOST, "this is not a host name", _dns),
        "a DNS name such as worker-1 or vms21.rhce.cc: a-z, 0-9, - and dots",
        "vms21.rhce.cc",
        _HOST,
    ),
]
HostOrAuto = Annotated[
    str | None,
    Written(
        or_word("auto", matching(_HOST, "this is not a host name", _dns)),
        "auto (<app>.example.com), or a DNS name",
        "kubia.example.com",
        _HOST,
    ),
]
Image = Annotated[
    str,
    Written(
        matching(_IMAGE, "this is not an image reference"),
        "an image such as stacklab/echo or docker.io/library/nginx:1.29",
        "docker.io/library/nginx:1.29",
        _IMAGE,
    ),
]


def _path(text: str) -> str:
    return "/" + text.strip("/")


UrlPath = Annotated[
    str,
    Written(matching(r"/[^\s?#]*", "this is not a path", _path), "a path such as /healthz", "/healthz", r"/[^\s?#]*"),
]
ProbePath = Annotated[
    str | None,
    Written(
        or_word("none", matching(r"auto|/[^\s#]*", "this is not a path", _path)),
        "auto, none, or a path such as /healthz",
        "/healthz",
        r"auto|none|/[^\s#]*",
    ),
]
LabelKey = Annotated[
    str,
    Written(
        matching(_KEY, "this is not a label's key"), "a label's key such as tier or lab.example.com/rack", "tier", _KEY
    ),
]
LabelValue = Annotated[
    str,
    Written(
        matching(_VALUE, "this is not a label's value", longest=63),
        "text of at most 63 letters, digits, -, _ and dots",
        "front",
        _VALUE,
    ),
]
_TAINT = rf"{_KEY}(?:={_VALUE})?:(?:NoSchedule|PreferNoSchedule|NoExecute)"


def _taint(text: str) -> str:
    key, _, effect = text.rpartition(":")
    effects = {e.lower(): e for e in ("NoSchedule", "PreferNoSchedule", "NoExecute")}
    return f"{key}:{effects.get(effect.lower(), '')}"


Taint = Annotated[
    str,
    Written(
        matching(_TAINT, "this is not a taint", _taint),
        "key=value:Effect, with NoSchedule, PreferNoSchedule or NoExecute as the effect",
        "dedicated=db:NoSchedule",
        _TAINT,
    ),
]
EnvName = Annotated[
    str,
    Written(
        matching(
            r"[A-Za-z_][A-Za-z0-9_]*", "this is not the name of an environment variable", lambda t: t.replace("-", "_")
        ),
        "a variable's name: letters, digits and _",
        "GREETING",
        r"[A-Za-z_][A-Za-z0-9_]*",
    ),
]


def _any_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise wrong("text is wanted here")


Text = Annotated[str, Written(_any_text, "text, in quotes where it looks like a number or a yes/no", "hello")]
Cron = Annotated[
    str,
    Written(
        matching(_CRON, "this is not a schedule", lambda t: t),
        'five fields such as "*/5 * * * *", or @hourly, @daily, @weekly',
        "*/5 * * * *",
        _CRON,
    ),
]
Url = Annotated[
    str,
    Written(
        matching(_URL, "this is not a URL", lambda t: f"https://{t}"),
        "an http(s) URL",
        "https://mirror.example.com/",
        _URL,
    ),
]
_REGISTRY = r"(?:https?://)?[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?(?:/[a-z0-9._/-]+)?"
Registry = Annotated[
    str,
    Written(
        matching(_REGISTRY, "this is not a registry", str.strip),
        "a registry such as mirror.example.com or https://mirror.example.com/hub",
        "mirror.example.com",
        _REGISTRY,
    ),
]
Sources = Annotated[
    str,
    Written(
        matching(r"auto|upstream|packages|bundle:\S.*", "there is no such source", str.lower),
        "auto, upstream, packages or bundle:<file>",
        "bundle:lab.tar",
        r"auto|upstream|packages|bundle:\S.*",
    ),
]
_DISK_IMAGE = r"debian-12|/\S+|~/\S+|\./\S+|https?://\S+"
DiskImage = Annotated[
    str,
    Written(
        matching(_DISK_IMAGE, "this is not a machine image", lambda t: f"./{t}"),
        "debian-12 (built here), or a qcow2 image: a file or an http(s) URL",
        "debian-12",
        _DISK_IMAGE,
    ),
]
_DIGEST = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
ChecksumOrNone = Annotated[
    str | None,
    Written(
        or_word("none", matching(_DIGEST, "this is not a checksum", lambda t: f"sha{len(t) * 4}:{t.lower()}")),
        "none, or sha256:<64 hex digits> or sha512:<128 hex digits>",
        "sha256:" + "0" * 64,
        rf"none|{_DIGEST}",
    ),
]
LibvirtUri = Annotated[
    str,
    Written(
        matching(r"[a-z]+(?:\+[a-z0-9]+)?://\S*", "this is not a libvirt URI", lambda t: f"qemu+ssh://{t}/system"),
        "a libvirt URI such as qemu:///system or qemu+ssh://host/system",
        "qemu:///system",
        r"[a-z]+(?:\+[a-z0-9]+)?://\S*",
    ),
]
UserName = Annotated[
    str,
    Written(
        matching(r"[a-z_][a-z0-9_-]*", "this is not a user name"),
        "a user name such as root",
        "root",
        r"[a-z_][a-z0-9_-]*",
    ),
]
FilePath = Annotated[
    str,
    Written(
        matching(r"[~/.]\S*", "this is not a path", lambda t: f"~/{t}", longest=4096),
        "a path such as ~/.ssh/id_ed25519",
        "~/.ssh/id_ed25519",
        r"[~/.]\S*",
    ),
]
_VERSION = r"latest|[0-9]+\.[0-9]+\.[0-9]+"
Version = Annotated[
    str,
    Written(
        matching(_VERSION, "this is not a version of Kubernetes", lambda t: t.removeprefix("v")),
        "latest, or a version such as 1.36.3",
        "1.36.3",
        _VERSION,
    ),
]
Backend = Literal["kind", "minikube", "libvirt", "ssh"]
