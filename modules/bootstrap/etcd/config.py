"""Texts of a member: etcd's configuration, its unit, what kubeadm is asked certificates with. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

PKI = "/etc/stacklab/pki"
CA_CERT, CA_KEY = f"{PKI}/etcd/ca.crt", f"{PKI}/etcd/ca.key"
CLIENT_CERT, CLIENT_KEY = f"{PKI}/apiserver-etcd-client.crt", f"{PKI}/apiserver-etcd-client.key"
CONFIG = "/etc/stacklab/etcd.yaml"
CERTS = "/etc/stacklab/etcd-certs.yaml"
MARK = "/etc/stacklab/etcd.json"
DATA = "/var/lib/stacklab/etcd"
UNIT = "/etc/systemd/system/stacklab-etcd.service"
SERVICE = "stacklab-etcd.service"
CLIENT_PORT, PEER_PORT = 2379, 2380


@dataclass(frozen=True)
class Member:
    """One machine that runs etcd."""

    name: str
    address: str

    @property
    def peer(self) -> str:
        return f"https://{self.address}:{PEER_PORT}"

    @property
    def client(self) -> str:
        return f"https://{self.address}:{CLIENT_PORT}"


def config(member: Member, members: Sequence[Member], token: str, *, existing: bool) -> str:
    """etcd's own file. `existing`: this one joins members that run already."""

    def tls(name: str) -> dict[str, Any]:
        files = {"cert-file": f"{PKI}/etcd/{name}.crt", "key-file": f"{PKI}/etcd/{name}.key"}
        return {**files, "client-cert-auth": True, "trusted-ca-file": CA_CERT}

    return yaml.safe_dump(
        {
            "name": member.name,
            "data-dir": DATA,
            "listen-peer-urls": member.peer,
            "listen-client-urls": f"{member.client},https://127.0.0.1:{CLIENT_PORT}",
            "initial-advertise-peer-urls": member.peer,
            "advertise-client-urls": member.client,
            "initial-cluster": ",".join(f"{one.name}={one.peer}" for one in members),
            "initial-cluster-token": token,
            "initial-cluster-state": "existing" if existing else "new",
            "client-transport-security": tls("server"),
            "peer-transport-security": tls("peer"),
            "snapshot-count": 10000,
        },
        sort_keys=False,
    )


def unit() -> str:
    return f"""\
# Written by stacklab.
[Unit]
Description=The lab's etcd
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
TimeoutStartSec=0
ExecStart=/usr/local/bin/etcd --config-file={CONFIG}
Restart=always
RestartSec=1
LimitNOFILE=16384

[Install]
WantedBy=multi-user.target
"""


def certificates(member: Member, kubernetes: str) -> str:
    """For `kubeadm init phase certs etcd-…`: the same maker, names and lifetimes as in a cluster with etcd inside."""
    api = "kubeadm.k8s.io/v1beta4"
    return yaml.safe_dump_all(
        [
            {
                "apiVersion": api,
                "kind": "InitConfiguration",
                "localAPIEndpoint": {"advertiseAddress": member.address},
                "nodeRegistration": {"name": member.name},
            },
            {
                "apiVersion": api,
                "kind": "ClusterConfiguration",
                "kubernetesVersion": f"v{kubernetes}",
                "certificatesDir": PKI,
                "etcd": {"local": {"serverCertSANs": [member.address], "peerCertSANs": [member.address]}},
            },
        ],
        sort_keys=False,
    )


def etcdctl(*words: str, endpoints: Sequence[str] = (f"https://127.0.0.1:{CLIENT_PORT}",)) -> str:
    """A command line on a member."""
    tls = f"--cacert={CA_CERT} --cert={PKI}/etcd/healthcheck-client.crt --key={PKI}/etcd/healthcheck-client.key"
    return f"/usr/local/bin/etcdctl --endpoints={','.join(endpoints)} {tls} {shlex.join(words)}"


def undo() -> str:
    """Idempotent: no service, no data, no certificate."""
    return f"""\
[ ! -e {UNIT} ] || systemctl disable --now --quiet {SERVICE} 2>/dev/null
rm -rf {UNIT} {CONFIG} {CERTS} {PKI} {DATA} {MARK}
systemctl daemon-reload
rmdir /etc/stacklab 2>/dev/null
true
"""
