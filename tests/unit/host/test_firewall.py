"""Firewall rules as comparable lines, each with the command that removes it."""

from __future__ import annotations

from modules.host import firewall
from tests.unit.host.hosts import text

NFT = """\
# Warning: table ip nat is managed by iptables-nft, do not touch!
table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		counter packets 7 bytes 420 masquerade
	}
}
table inet netavark {
	chain nv_10_203_7_0_nm24 {
		ip daddr 10.203.7.0/24 counter packets 3 bytes 99 accept
	}
}
"""


def test_counters_do_not_count() -> None:
    busy = text("laptop/iptables.txt")
    idle = busy.replace("[120:9000]", "[0:0]").replace("[7:420]", "[1:2]")
    idle = idle.replace("\n-A ", "\n[5:300] -A ")  # as `iptables-save -c` prints them
    assert list(firewall.parse_iptables(busy, "iptables")) == list(firewall.parse_iptables(idle, "iptables"))


def test_the_same_rule_in_another_table_is_another_rule() -> None:
    text_ = "*nat\n-A X -j ACCEPT\nCOMMIT\n*filter\n-A X -j ACCEPT\nCOMMIT\n"
    assert len(set(firewall.parse_iptables(text_, "iptables"))) == 2


def test_each_line_has_its_way_back() -> None:
    rules = {r.text: r for r in firewall.parse_iptables(text("laptop/iptables.txt"), "iptables")}
    rule = rules["iptables -t nat -A POSTROUTING -s 10.200.77.0/24 ! -o br-3f1c9a7be210 -j MASQUERADE"]
    assert rule.remove == "iptables -t nat -D POSTROUTING -s 10.200.77.0/24 ! -o br-3f1c9a7be210 -j MASQUERADE"
    chain = rules["iptables -t filter -N DOCKER-USER"]
    assert chain.remove == "iptables -t filter -F DOCKER-USER; iptables -t filter -X DOCKER-USER"
    assert rules["iptables -t filter -P FORWARD DROP"].remove == "iptables -t filter -P FORWARD ACCEPT"


def test_chains_that_a_rule_touches() -> None:
    rules = firewall.parse_iptables(text("receipt/both/iptables.txt"), "iptables")
    leads = next(r for r in rules if "-s 10.203.7.0/24 -j NETAVARK-" in r.text and "POSTROUTING" in r.text)
    assert leads.chains[0] == "POSTROUTING"
    assert leads.chains[1].startswith("NETAVARK-")


def test_nft_leaves_the_tables_of_iptables_out() -> None:
    """They are seen through iptables-save; twice would be two leftovers for one rule."""
    assert [(r.text, r.remove) for r in firewall.parse_nft(NFT)] == [
        ("nft table inet netavark", "nft delete table inet netavark"),
        (
            "nft table inet netavark chain nv_10_203_7_0_nm24",
            "nft delete chain inet netavark nv_10_203_7_0_nm24",
        ),
        (
            "nft table inet netavark nv_10_203_7_0_nm24: ip daddr 10.203.7.0/24 accept",
            "nft -a list table inet netavark  # then: nft delete rule inet netavark nv_10_203_7_0_nm24 handle <number>",
        ),
    ]
