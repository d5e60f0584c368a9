"""The class file as types (docs/class.md): who is in the class, what each gets, and where it runs.

Made by modules.classroom.parse. What is checked here is one value at a time; checks.py holds the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from modules.classroom import types as c
from modules.topology import types as t

MOST_STUDENTS = 10_000


class Student(t.Strict):
    """One student; everything that is made for it is named by its id."""

    id: c.StudentId = Field(description="Names the student's stack, host names and files; never changes.")
    name: t.Text = t.key("", "For people.", example="Ada Lovelace")
    mail: c.Mail = t.key("none", "For people.", example="ada@example.org")
    group: t.Text = t.key("", "For people: a course, a table, a lab partner.", example="monday")


class Host(t.Strict):
    """A machine that labs are placed on; auto is what it has free."""

    name: c.HostName = Field(description="How plans and messages call it.")
    uri: c.HostUri = t.key("local", "This machine, or a libvirt daemon.")
    memory: c.SizeOrAuto = t.key("auto", "Memory for labs.", example="64GiB")
    cpus: c.CountOrAuto = t.key("auto", "Cores for labs.", example=16)
    disk: c.SizeOrAuto = t.key("auto", "Disk for labs.", example="500GiB")


class Limits(t.Strict):
    """What is kept back, and how much is done at a time."""

    parallel: c.CountOrAuto = t.key(
        "auto", "Labs that are made at a time on one host; auto is what it bears.", example=4
    )
    reserve: t.Size = t.key("1GiB", "Memory of each host that is left alone.", example="4GiB")
    overcommit: int = t.key(4, "Virtual CPUs of machines for each core of a host.", example=8, ge=1, le=64)


class Addresses(t.Strict):
    """Where the students' networks are cut from; each lab has one of its own."""

    range: t.Cidr = t.key("10.208.0.0/12", "The networks of all students lie in it.", example="172.20.0.0/14")
    each: int = t.key(24, "Length of one student's network: /24 has 256 addresses.", example=26, ge=22, le=26)


class Shared(t.Strict):
    """Tenancy namespace: the lab that all share, and what one student may take of it."""

    stack: c.TemplateName = t.key("shared", "The stack of the lab that all share.", example="shared")
    cpu: t.Cpu = t.key(1, "CPU that all pods of a student may ask for.", example="500m")
    memory: t.Size = t.key("1GiB", "Memory that all pods of a student may take.", example="512MiB")
    storage: t.Size = t.key("2GiB", "All volumes of a student.", example="1GiB")
    pods: int = t.key(20, "Pods of a student.", example=10, ge=1, le=500)
    security: Literal["restricted", "baseline"] = t.key("restricted", "Pod Security level of the namespaces.")


def _file_or_list(value: object) -> str:
    return "~list" if isinstance(value, (list, tuple)) else "~file"


Roster = Annotated[
    Annotated[c.FileName, Tag("~file")]
    | Annotated[tuple[Student, ...], Field(min_length=1, max_length=MOST_STUDENTS), t.AS_TUPLE, Tag("~list")],
    Discriminator(_file_or_list),
]
THIS_HOST = {"name": "this-host", "uri": "local"}


class ClassSpec(t.Strict):
    """A whole class, as its file says. After parse, `roster` holds the students whatever file they were in."""

    title: t.Text = t.key("", "For people.", example="Kubernetes, autumn 2026")
    roster: Roster = Field(description="Who is in the class.", examples=["autumn.csv"])
    template: c.TemplateName = Field(description="The stack file that every student's lab is made from.")
    tenancy: Literal["cluster", "namespace"] = t.key("cluster", "A lab for each student, or a namespace in one lab.")
    overrides: Mapping[c.StudentId, Mapping[str, Any]] = t.key(
        {},
        "By student: keys of the template's lab that are different.",
        example={"s07": {"workers": 2}},
        allowed="a mapping from a student's id to keys of a lab",
    )
    hosts: Annotated[tuple[Host, ...], Field(min_length=1, max_length=4096), t.AS_TUPLE] = t.key(
        [THIS_HOST], "Where labs are placed.", example=[{"name": "lab-1", "uri": "qemu+ssh://lab-1/system"}]
    )
    limits: Limits = t.key({}, "What is kept back, and how much is done at a time.")
    addresses: Addresses = t.key({}, "Where the students' networks are cut from (tenancy cluster).")
    shared: Shared = t.key({}, "The lab that all share (tenancy namespace).")
    expires: c.DayOrNone = t.key(
        "none", "After this day the class is over: `class up` refuses, `class reap` removes it.", example="2026-12-31"
    )

    @property
    def students(self) -> tuple[Student, ...]:
        """Everybody, in the roster's order."""
        return self.roster if isinstance(self.roster, tuple) else ()
