"""What libvirt's network driver leaves in the firewall when its daemon ends, and the calls that take it away. Pure.

It makes its chains once and never removes them. Only those that were not there before our daemon are removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modules.host import firewall

PROGRAMS = ("iptables", "ip6tables")
_OURS = re.compile(r"LIBVIRT_(INP|OUT|FWI|FWO|FWX|PRT)")
_RULE = re.compile(r" -t (?P<table>\S+) (?P<rule>-[AN] .*)$")


def chains(saved: str, program: str) -> tuple[str, ...]:
    """libvirt's chains in the output of `<program>-save`, each with its table."""
    found = []
    for rule in firewall.parse_iptables(saved, program):
        parts = _RULE.search(rule.text)
        if parts and parts["rule"].startswith("-N ") and _OURS.fullmatch(parts["rule"][3:]):
            found.append(f"{program} {parts['table']} {parts['rule'][3:]}")
    return tuple(found)


def removal(saved: str, program: str, before: tuple[str, ...]) -> Iterator[list[str]]:
    """The calls that remove libvirt's chains which were not there before: first what leads to them."""
    fresh = [one.split() for one in chains(saved, program) if one not in before]
    for _, table, chain in fresh:
        for rule in firewall.parse_iptables(saved, program):
            parts = _RULE.search(rule.text)
            if parts and parts["table"] == table and parts["rule"].startswith("-A ") and chain in rule.chains:
                words = parts["rule"].split()
                if not _OURS.fullmatch(words[1]):
                    yield [program, "-t", table, "-D", *words[1:]]
    for action in ("-F", "-X"):
        for _, table, chain in fresh:
            yield [program, "-t", table, action, chain]
