"""The certificates of a master: until when they are good, and new ones, in use at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from modules.base.errors import StacklabError
from modules.base.probe import Answer, wait_for
from modules.bootstrap.kubeadm import admin
from modules.bootstrap.kubeadm.kubectl import Api
from modules.bootstrap.kubeadm.running import Say
from modules.machines.remote import Remote

EXPIRY = "kubeadm certs check-expiration -o json --kubeconfig /etc/kubernetes/admin.conf"
PODS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
# The kubelet sees that a manifest went and came back only when it looked in between: so the pods are stopped by hand,
# and the kubelet starts them again.
RESTART = """\
set -e
for pod in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    crictl ps -q --name "^$pod\\$" --state Running | xargs -r timeout 60 crictl stop --timeout 20 >/dev/null
done
"""


@dataclass(frozen=True)
class Certificate:
    """One of them, by kubeadm's own name; `until` in UTC."""

    name: str
    until: str
    days: int
    authority: bool

    def data(self) -> dict[str, Any]:
        return asdict(self)


def parse(printed: str, now: datetime) -> tuple[Certificate, ...]:
    """From what kubeadm printed; warnings may stand before it. Pure."""
    try:
        data = json.loads(printed[printed.index("{") :])
    except ValueError:
        raise StacklabError("kubeadm did not say until when certificates are good", output=printed) from None
    found = []
    for key, authority in (("certificates", False), ("certificateAuthorities", True)):
        for one in data.get(key) or ():
            if one.get("missing"):
                continue
            until = datetime.fromisoformat(str(one["expirationDate"]).replace("Z", "+00:00")).astimezone(UTC)
            found.append(Certificate(one["name"], f"{until:%Y-%m-%d %H:%M}", (until - now).days, authority))
    return tuple(found)


def read(remote: Remote) -> tuple[Certificate, ...]:
    """Those of a master."""
    return parse(remote.run(EXPIRY, timeout=60).stdout, datetime.now(UTC))


def renew(masters: Sequence[Remote], say: Say) -> None:
    """One master after the other: the next one only when the one before is healthy again."""
    for remote in masters:
        name = remote.login.machine
        say(f"{name}: new certificates")
        remote.run("kubeadm certs renew all", timeout=90)
        remote.run(admin.script(), timeout=60)
        say(f"{name}: etcd and the API server start with them")
        remote.run(RESTART, timeout=180)
        wait_healthy(remote)


def wait_healthy(remote: Remote, *, timeout: float = 180) -> None:
    """Until this master's own API server is ready, with etcd behind it."""
    api = Api(remote)

    def look() -> Answer[bool]:
        trouble = api.trouble()
        return Answer(None if trouble else True, trouble)

    where = remote.login.machine
    hint = f"crictl ps -a and journalctl -u kubelet on {where}"
    wait_for("the API server is ready", look, timeout=timeout, every=1, where=where, hint=hint)
