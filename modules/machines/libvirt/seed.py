"""What a machine is told at its first boot, as the ISO image that cloud-init looks for (NoCloud, label cidata).

The host key is made before the machine is, so that the first contact is verified. The same is said twice: as
cloud-init's data, and as plain files that the machine image of our own takes over without it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pycdlib
import yaml

LABEL = "cidata"


@dataclass(frozen=True)
class Seed:
    """host_key is the private key's text; authorized and host_public are lines as in *.pub files."""

    machine: str
    instance: str
    mac: str
    authorized: str
    host_key: str
    host_public: str


def files(seed: Seed) -> Mapping[str, str]:
    """The files of the image. Pure."""
    return {
        "meta-data": _yaml({"instance-id": seed.instance, "local-hostname": seed.machine}),
        "network-config": _yaml(_network(seed)),
        "user-data": "#cloud-config\n" + _yaml(_user_data(seed)),
        **_plain(seed),
    }


def _plain(seed: Seed) -> dict[str, str]:
    """For modules/artifacts/machine/seed.sh."""
    told = {
        "instance-id": seed.instance,
        "hostname": seed.machine,
        "authorized_keys": seed.authorized,
        "ssh_host_ed25519_key": seed.host_key,
        "ssh_host_ed25519_key.pub": seed.host_public,
    }
    return {name: text.rstrip("\n") + "\n" for name, text in told.items()}


def _user_data(seed: Seed) -> dict[str, Any]:
    return {
        "hostname": seed.machine,
        "fqdn": seed.machine,
        "prefer_fqdn_over_hostname": True,
        "manage_etc_hosts": False,  # the hosts file is a step of the lab's own
        "disable_root": False,
        "ssh_pwauth": False,
        "users": [{"name": "root", "lock_passwd": True, "ssh_authorized_keys": [seed.authorized]}],
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": seed.host_key, "ed25519_public": seed.host_public},
        "growpart": {"mode": "auto", "devices": ["/"], "ignore_growroot_disabled": False},
        "resize_rootfs": True,
        "package_update": False,
        "package_upgrade": False,
        "apt": {"preserve_sources_list": True},
        "swap": {"size": 0},
    }


def _network(seed: Seed) -> dict[str, Any]:
    nic = {"match": {"macaddress": seed.mac}, "dhcp4": True, "dhcp6": False}
    return {"version": 2, "ethernets": {"lab": nic}}


def iso(seed: Seed) -> bytes:
    """The image."""
    image = pycdlib.PyCdlib()
    image.new(interchange_level=3, vol_ident=LABEL, rock_ridge="1.09", joliet=3)
    for number, (name, text) in enumerate(files(seed).items()):
        data = text.encode()
        image.add_fp(
            io.BytesIO(data), len(data), f"/FILE{number}.;1", rr_name=name, joliet_path=f"/{name}", file_mode=0o100600
        )
    out = io.BytesIO()
    image.write_fp(out)
    image.close()
    return out.getvalue()


def _yaml(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, width=4096)
