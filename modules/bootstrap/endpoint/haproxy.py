"""haproxy's configuration and unit. Pure: the same masters give the same text."""

from __future__ import annotations

from modules.bootstrap.kubeadm.spec import API_PORT, VIP_PORT, Front, Role

CONFIG = "/etc/stacklab/haproxy.cfg"
UNIT = "/etc/systemd/system/stacklab-haproxy.service"
SERVICE = "stacklab-haproxy.service"


def listens(front: Front, role: Role) -> str:
    """Masters are asked by others at the virtual address; a worker asks itself."""
    return f"*:{VIP_PORT}" if role == "master" else f"127.0.0.1:{API_PORT}"


def config(front: Front, role: Role) -> str:
    """Connections pass through as they are: TLS ends at the API servers. A server is out after two bad answers."""
    servers = "\n".join(
        f"    server {name.split('.')[0]} {address}:{API_PORT}" for name, address in sorted(set(front.masters))
    )
    return f"""\
# Written by stacklab.
global
    log stderr format short daemon notice
    maxconn 4000

defaults
    mode tcp
    log global
    option dontlognull
    timeout connect 3s
    # Watches and logs are quiet for long; the API server ends a watch within ten minutes.
    timeout client 20m
    timeout server 20m
    timeout tunnel 4h
    timeout check 3s

frontend api
    bind {listens(front, role)}
    default_backend masters

backend masters
    balance leastconn
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none inter 1s fall 2 rise 2 on-marked-down shutdown-sessions
{servers}
"""


def unit() -> str:
    return f"""\
# Written by stacklab.
[Unit]
Description=The lab's API: balances over the masters (haproxy)
After=network.target

[Service]
Type=notify
ExecStart=/usr/sbin/haproxy -Ws -f {CONFIG} -p /run/stacklab-haproxy.pid
ExecReload=/usr/sbin/haproxy -c -f {CONFIG}
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
