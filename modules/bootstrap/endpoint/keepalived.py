"""keepalived's configuration and unit: who of the masters has the virtual address. Pure.

All masters have the same priority, so one that comes back does not take the address from the one that has it, and the
address moves only when its holder is gone or cannot reach the API any more (its priority sinks). When nobody can,
priorities are equal again and it stays where it is: also before the first API server runs, which kubeadm asks there.
Adverts go from master to master (unicast): many networks do not carry multicast.
"""

from __future__ import annotations

import hashlib

from modules.bootstrap.kubeadm.spec import VIP_PORT, Front

CONFIG = "/etc/stacklab/keepalived.conf"
CHECK = "/etc/stacklab/check-api"
UNIT = "/etc/systemd/system/stacklab-keepalived.service"
SERVICE = "stacklab-keepalived.service"
PRIORITY, LOSS = 100, 50


def router_id(front: Front) -> int:
    """1 to 255, another one for another virtual address: labs of one network do not hear each other."""
    return 1 + hashlib.sha256(front.vip.encode()).digest()[0] % 255


def config(front: Front, address: str, interface: str) -> str:
    """For the master of that address; `interface` is the one that has it."""
    peers = "\n".join(f"        {peer}" for _, peer in sorted(front.masters) if peer != address)
    # Without a peer keepalived falls back to multicast, which is fine: nobody is there to hear it.
    unicast = f"    unicast_src_ip {address}\n    unicast_peer {{\n{peers}\n    }}\n" if peers else ""
    return f"""\
# Written by stacklab.
global_defs {{
    router_id {address}
    script_user root
    enable_script_security
    vrrp_garp_master_refresh 30
}}

vrrp_script api {{
    script {CHECK}
    interval 2
    timeout 3
    rise 2
    fall 2
    weight -{LOSS}
}}

vrrp_instance api {{
    state BACKUP
    interface {interface}
    virtual_router_id {router_id(front)}
    priority {PRIORITY}
    advert_int 1
{unicast}    virtual_ipaddress {{
        {front.vip}/32 dev {interface}
    }}
    track_script {{
        api
    }}
}}
"""


def check() -> str:
    """Whether the API is to be reached by way of this machine: its haproxy runs, and some API server is ready."""
    return f"""\
#!/bin/sh
# Written by stacklab.
exec curl --silent --fail --insecure --max-time 2 --noproxy '*' -o /dev/null https://127.0.0.1:{VIP_PORT}/readyz
"""


def unit() -> str:
    return f"""\
# Written by stacklab.
[Unit]
Description=The lab's virtual address (keepalived)
After=network-online.target stacklab-haproxy.service
Wants=network-online.target

[Service]
Type=simple
ExecStart=/usr/sbin/keepalived --dont-fork --log-console --use-file={CONFIG} --pid=/run/stacklab-keepalived.pid \\
    --vrrp_pid=/run/stacklab-keepalived-vrrp.pid
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
