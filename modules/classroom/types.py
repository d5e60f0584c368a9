"""The named types of the class file's own values; those of stack files are in modules.topology.types."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from modules.topology import types as t
from modules.topology import values as v
from modules.topology.written import Written, a_text, matching, or_word, wrong

# <class>-<id> is a stack's name, and stacklab-<class>-<id>-control-plane a host name of at most 63 characters.
LONGEST_CLASS = 16
LONGEST_ID = 20
_ID = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_MAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_URI = r"local|[a-z]+(?:\+[a-z0-9]+)?://\S*"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _as_id(text: str) -> str:
    return "-".join(text.strip().lower().replace("_", " ").replace(".", " ").replace("@", " ").split()).strip("-")


StudentId = Annotated[
    str,
    Written(
        matching(_ID, "this is not an id that names can be made of", _as_id, longest=LONGEST_ID),
        f"a-z, 0-9 and -, {LONGEST_ID} characters at most",
        "s07",
        _ID,
    ),
]
Mail = Annotated[
    str | None,
    Written(
        or_word("none", or_word("", matching(_MAIL, "this is not a mail address", str.strip))),
        "none, or a mail address",
        "ada@example.org",
        rf"none|{_MAIL}|",
    ),
]
TemplateName = Annotated[
    str,
    Written(
        matching(r"[A-Za-z0-9][A-Za-z0-9_.-]*|\S+/\S+\.yaml", "this is not a stack", str.strip),
        "the name of a stack in stacks/, or the path of a stack file",
        "dev",
        r"[A-Za-z0-9][A-Za-z0-9_.-]*|\S+/\S+\.yaml",
    ),
]
HostUri = Annotated[
    str,
    Written(
        matching(_URI, "this is not a host", lambda text: f"qemu+ssh://{text}/system"),
        "local (this machine), or a libvirt URI such as qemu+ssh://host/system",
        "qemu+ssh://lab-1/system",
        _URI,
    ),
]
SizeOrAuto = Annotated[
    int | None,
    Written(
        or_word("auto", v.parse_size),
        "auto (asked of the host), or a size such as 64GiB",
        "64GiB",
        r"auto|[1-9][0-9]*(?:KiB|MiB|GiB|TiB)",
    ),
]


def _day(value: object) -> date:
    if isinstance(value, date):  # YAML's own reading of 2026-12-31
        return value
    try:
        return date.fromisoformat(a_text(value))
    except ValueError:
        raise wrong("this is not a day") from None


DayOrNone = Annotated[
    date | None,
    Written(or_word("none", _day), "none, or a day such as 2026-12-31", "2026-12-31", rf"none|{_DAY}"),
]


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4096:
        return value
    raise wrong("this is not a number of things")


CountOrAuto = Annotated[
    int | None,
    Written(or_word("auto", _count), "auto, or a whole number from 1 to 4096", "4", r"auto", "string|integer"),
]
FileName = Annotated[
    str,
    Written(
        matching(r"\S+\.csv", "this is not a roster", lambda text: f"{text}.csv", longest=4096),
        "a CSV file beside this one, or a list of students",
        "autumn.csv",
        r"\S+\.csv",
    ),
]
HostName = t.HostName
