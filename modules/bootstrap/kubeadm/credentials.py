"""What a machine needs to join, made on a master when it joins and taken back afterwards; never stored.

kubeadm draws token and key; here they are only handed on: by files of mode 0600 under /run, never in an argument list.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from modules.artifacts.machine.payload import folder
from modules.base.errors import CommandError, StacklabError
from modules.bootstrap.kubeadm import config
from modules.bootstrap.kubeadm.kubectl import KUBECTL
from modules.bootstrap.kubeadm.running import RUN
from modules.bootstrap.kubeadm.spec import API_PORT, Cluster, Node
from modules.machines.remote import Remote

TTL = "15m"
SIGNED = "15s"
CA = "/etc/kubernetes/pki/ca.crt"
_VERSION = 0xA0


@dataclass(frozen=True, repr=False)
class Credentials:
    """certificate_key opens the certificates that a joining master fetches; "" for workers."""

    server: str
    token: str
    ca_hash: str
    certificate_key: str

    @property
    def secret(self) -> tuple[str, ...]:
        """Words that no log and no error may show."""
        return tuple(word for word in (self.token, self.token.partition(".")[2], self.certificate_key) if word)


@contextlib.contextmanager
def lent(master: Remote, cluster: Cluster, at: Node, *, for_master: bool) -> Iterator[Credentials]:
    """Credentials that are good inside the block. `at` is the node of that master."""
    program = f"{folder(cluster.kubernetes)}/kubeadm"
    token = f"{secrets.token_hex(3)}.{secrets.token_hex(8)}"
    key = secrets.token_hex(32) if for_master else ""
    file = f"{RUN}/lent-{secrets.token_hex(4)}"
    made = Credentials(f"{at.address}:{API_PORT}", token, ca_hash(_authority(master)), key)
    try:
        master.write(file, config.init(cluster, at, certificate_key=key, token=(token, TTL)), 0o600)
        calls = [f"{program} token create --config {file} >/dev/null", signed(token.partition(".")[0])]
        if for_master:
            calls.append(
                f"{program} init phase upload-certs --upload-certs --skip-certificate-key-print --config {file}"
            )
        script = "\n".join(
            ["set -e", f"trap 'rm -f {file}' EXIT", "export KUBECONFIG=/etc/kubernetes/admin.conf", *calls]
        )
        master.run(script, timeout=90, redact=made.secret)
        yield made
    finally:
        # A master that is out of reach now cannot be told; the token ends by itself after its time.
        with contextlib.suppress(CommandError):
            master.run(_take_back(file, token.partition(".")[0], for_master), timeout=60, redact=made.secret)


def signed(token: str) -> str:
    """Waits until the cluster has signed what a machine asks for first with this token, by its public part. Pure.

    A join that comes a moment earlier tries again only after five seconds.
    """
    signature = f"--for=jsonpath='{{.data.jws-kubeconfig-{token}}}'"
    return f"{KUBECTL} -n kube-public wait configmap/cluster-info {signature} --timeout={SIGNED} >/dev/null || true"


def _take_back(file: str, token: str, for_master: bool) -> str:
    """kubeadm makes a token of its own for the certificates it uploads: their owner, so that they end with it."""
    secrets_of = f"{KUBECTL} -n kube-system"
    owner = "-o 'jsonpath={.metadata.ownerReferences[*].name}'"
    find = f"$({secrets_of} get secret kubeadm-certs --ignore-not-found {owner}) kubeadm-certs" if for_master else ""
    return f"rm -f {file}\n{secrets_of} delete secret --ignore-not-found bootstrap-token-{token} {find}\n"


def forget_all() -> str:
    """A script on a master: no token is left, as after `kubeadm init`, which makes one. Pure."""
    return f"{KUBECTL} -n kube-system delete secret --field-selector type=bootstrap.kubernetes.io/token\n"


def ca_hash(certificate: str) -> str:
    """kubeadm's name for an authority: the digest of its public key as the certificate holds it. Pure."""
    outer, _ = _inside(ssl.PEM_cert_to_DER_cert(certificate), 0)
    body, _ = _inside(outer, 0)
    place = 0
    if body[0] == _VERSION:
        _, place = _inside(body, place)
    for _ in range(5):  # serial, algorithm, issuer, validity, subject
        _, place = _inside(body, place)
    start = place
    _, place = _inside(body, place)
    return "sha256:" + hashlib.sha256(body[start:place]).hexdigest()


def _inside(der: bytes, place: int) -> tuple[bytes, int]:
    """The content of the DER element at a place, and where the next one begins."""
    size, start = der[place + 1], place + 2
    if size & 0x80:
        more = size & 0x7F
        size, start = int.from_bytes(der[start : start + more], "big"), start + more
    return der[start : start + size], start + size


def _authority(master: Remote) -> str:
    found = master.read(CA)
    if not found:
        raise StacklabError("the cluster's certificate authority is not there", where=master.login.machine)
    return found
