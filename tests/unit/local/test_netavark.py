"""Chains that netavark left of a network."""

from __future__ import annotations

from modules.local.netavark import chains, leftovers

MASQUERADE, FORWARD = chains("stacklab-dev")
RULES = f"""-P PREROUTING ACCEPT
-N NETAVARK-5BABF318D26A5
-N {MASQUERADE}
-N {FORWARD}
-A POSTROUTING -s 10.201.90.0/24 -j NETAVARK-5BABF318D26A5
-A POSTROUTING -s 10.203.87.0/24 -j {MASQUERADE}
-A {MASQUERADE} -d 10.203.87.0/24 -j ACCEPT
-A {MASQUERADE} -j {FORWARD}
"""


def test_names_are_netavarks_own() -> None:
    assert chains("stacklab-lead") == ("NETAVARK-48FD496B8ED10", "NETAVARK-DN-48FD496B8ED10")


def test_only_the_networks_own_chains_go_and_their_users_first() -> None:
    assert leftovers("stacklab-dev", RULES) == [
        ["-D", "POSTROUTING", "-s", "10.203.87.0/24", "-j", MASQUERADE],
        ["-F", MASQUERADE],
        ["-F", FORWARD],
        ["-X", MASQUERADE],
        ["-X", FORWARD],
    ]


def test_the_rule_of_a_published_port_goes_with_its_comment() -> None:
    port = f'-A NETAVARK-HOSTPORT-DNAT -p tcp --dport 36689 -m comment --comment "dnat name: x id: 7" -j {FORWARD}'
    assert leftovers("stacklab-dev", f"-N NETAVARK-HOSTPORT-DNAT\n-N {FORWARD}\n{port}\n")[0] == [
        *("-D", "NETAVARK-HOSTPORT-DNAT", "-p", "tcp", "--dport", "36689"),
        *("-m", "comment", "--comment", "dnat name: x id: 7", "-j", FORWARD),
    ]


def test_a_clean_firewall_needs_nothing() -> None:
    assert leftovers("stacklab-other", RULES) == []
