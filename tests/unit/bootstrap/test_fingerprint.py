"""A machine before and after: what is compared, what is noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.bootstrap import fingerprint
from modules.bootstrap.steps.journal import FOLDER
from modules.machines.remote import Remote, close_all
from tests.support import sshd

SAID = """\
rule iptables *filter
rule iptables :INPUT ACCEPT [0:0]
rule iptables :OWN - [0:0]
rule iptables -A INPUT -s 10.0.0.1/32 -j DROP
rule iptables COMMIT
nft table ip mine {
nft }
file 0a0b  /etc/a file
link /etc/b -> ../b
unit ssh.service enabled
active ssh.service
active session-4.scope
active systemd-hostnamed.service
sysctl net.ipv4.ip_forward 0
item link eth0
item mount /data ext4
item mount /run/user/0 tmpfs
item entry /var/lib/stacklab
item package bash
"""


def test_parse() -> None:
    assert fingerprint.parse(SAID) == {
        "firewall rule": {
            "iptables -t filter -N OWN": "",
            "iptables -t filter -A INPUT -s 10.0.0.1/32 -j DROP": "",
            "nft table ip mine": "",
        },
        "file": {"/etc/a file": "0a0b", "/etc/b": "-> ../b"},
        "unit": {"ssh.service": "enabled"},
        "running service": {"ssh.service": ""},
        "sysctl": {"net.ipv4.ip_forward": "0"},
        "link": {"eth0": ""},
        "mount": {"/data ext4": ""},
        "package": {"bash": ""},
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("0a0b", "0a0c", ["file /etc/a file is another one"]),
        ("ip_forward 0", "ip_forward 1", ["sysctl net.ipv4.ip_forward is another one: 0 -> 1"]),
        ("link eth0", "link eth0\nitem link cali1", ["link cali1 is new"]),
        ("item package bash\n", "", ["package bash is gone"]),
        ("10.0.0.1/32 -j DROP", "10.0.0.1/32 -j DROP\nrule iptables -A INPUT -j KUBE-X",
         ["firewall rule iptables -t filter -A INPUT -j KUBE-X is new"]),
        (":INPUT ACCEPT", ":INPUT DROP", ["firewall rule iptables -t filter -P INPUT DROP is new"]),
        ("active ssh", "active kubelet.service\nactive ssh", ["running service kubelet.service is new"]),
        ("active session-4.scope", "active session-5.scope", []),
    ],
)  # fmt: skip
def test_differences(old: str, new: str, expected: list[str]) -> None:
    before, now = fingerprint.parse(SAID), fingerprint.parse(SAID.replace(old, new) if old else SAID)
    assert fingerprint.differences(before, now) == expected


@pytest.fixture(scope="module")
def server() -> Iterator[sshd.Server]:
    with sshd.server() as one:
        yield one
        close_all(one.login().known_hosts)


def test_kept_before_the_first_change_and_never_after(
    server: sshd.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    remote = Remote(server.login())
    remote.run(f"mkdir -p {FOLDER}; mount -t tmpfs none {FOLDER}", timeout=20)  # in the server's own namespace
    try:
        assert fingerprint.compare(remote, "t") == ["there is no fingerprint from before the lab"]
        fingerprint.save(remote, "t")
        kept = remote.read(fingerprint.BEFORE)
        assert kept == fingerprint.file("t", "m1").read_text()
        assert fingerprint.compare(remote, "t") == []
        remote.write("/etc/hosts", "127.0.0.1 localhost\n10.0.0.1 other\n")
        fingerprint.save(remote, "t")
        assert fingerprint.compare(remote, "t") == ["file /etc/hosts is another one"]
    finally:
        remote.run(f"umount {FOLDER}; rmdir {FOLDER}", timeout=20)
