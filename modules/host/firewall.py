"""Firewall rules as comparable lines: counters and handles dropped, each with the command that removes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COUNTER = re.compile(r" counter packets \d+ bytes \d+|^\[\d+:\d+\] | # handle \d+")
_CHAIN = re.compile(r"(?:^:|-A |-j |-g )([\w-]+)")


@dataclass(frozen=True)
class Rule:
    """A rule, chain or policy. chains: the user chains it is in or leads to."""

    text: str
    remove: str
    chains: tuple[str, ...] = ()


def parse_iptables(text: str, program: str) -> Iterator[Rule]:
    """The output of `<program>-save`; program is iptables, ip6tables, iptables-legacy, ..."""
    table = ""
    for raw in text.splitlines():
        line = _COUNTER.sub("", raw).strip()
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            where = f"{program} -t {table}"
            if policy == "-":
                yield Rule(f"{where} -N {name}", f"{where} -F {name}; {where} -X {name}", (name,))
            else:
                yield Rule(f"{where} -P {name} {policy}", f"{where} -P {name} ACCEPT")
        elif line.startswith("-A"):
            where = f"{program} -t {table}"
            yield Rule(f"{where} {line}", f"{where} -D{line[2:]}", tuple(_CHAIN.findall(line)))


def parse_nft(text: str) -> Iterator[Rule]:
    """The output of `nft list ruleset`, without the tables that iptables manages (seen through iptables-save)."""
    table, chain, foreign = "", "", False
    for raw in text.splitlines():
        line = _COUNTER.sub("", raw).strip()
        if line.startswith("# Warning: table") and "managed by iptables" in line:
            foreign = True
        elif line.startswith("table "):
            table, chain = line.removesuffix("{").strip(), ""
            if not foreign:
                yield Rule(f"nft {table}", f"nft delete {table}")
        elif raw.startswith("}"):
            foreign = False
        elif not line or line == "}" or foreign:
            continue
        elif line.startswith("chain "):
            chain = line.split()[1]
            yield Rule(f"nft {table} chain {chain}", f"nft delete chain {table[6:]} {chain}", (chain,))
        else:
            find = f"nft -a list {table}  # then: nft delete rule {table[6:]} {chain} handle <number>"
            yield Rule(f"nft {table} {chain}: {line}", find, (chain,) if chain else ())
