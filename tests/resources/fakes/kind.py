"""A stand-in for kind: makes the containers that its configuration asks for through the engine on PATH, as kind does.

$FAKE_ENGINE_STATE/kind-breaks: a number of nodes after which it fails. $FAKE_ENGINE_STATE/api: the API's address.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import yaml

AUTHORITY = Path(__file__).with_name("authority.pem")


def main(words: list[str]) -> None:
    given = dict(zip(words[2::2], words[3::2], strict=False))
    folder = Path(os.environ["FAKE_ENGINE_STATE"])
    config = yaml.safe_load(Path(given["--config"]).read_text())
    engine = os.environ["KIND_EXPERIMENTAL_PROVIDER"]
    network = os.environ[f"KIND_EXPERIMENTAL_{engine.upper()}_NETWORK"]
    name = given["--name"]

    def call(*args: str) -> str:
        return subprocess.run([engine, *args], check=True, capture_output=True, text=True).stdout.strip()

    if call("ps", "-a", "--filter", f"label=io.x-k8s.kind.cluster={name}", "--format", "{{.Names}}"):
        sys.exit(f'ERROR: node(s) already exist for a cluster with the name "{name}"')
    breaks = folder / "kind-breaks"
    counts: dict[str, int] = {}
    nodes = [(node["role"], node["image"]) for node in config["nodes"]]
    if sum(role == "control-plane" for role, _ in nodes) > 1:
        nodes.append(("external-load-balancer", "docker.io/envoyproxy/envoy:v1.36.2"))
    for made, (role, image) in enumerate(nodes):
        if breaks.exists() and made >= int(breaks.read_text()):
            sys.exit("ERROR: failed to init node with kubeadm")
        counts[role] = counts.get(role, 0) + 1
        node = f"{name}-{role}{counts[role] if counts[role] > 1 else ''}"
        volume = call("volume", "create", "--label", f"{node}=true")
        call(
            *("run", "--name", node, "--hostname", node, "--label", f"io.x-k8s.kind.role={role}", "--privileged"),
            *("--volume", f"{volume}:/var:suid,exec,dev", "--volume", "/lib/modules:/lib/modules:ro"),
            *("--detach", "--tty", "--net", network, "--label", f"io.x-k8s.kind.cluster={name}", image),
        )
    serial = folder / "serial"
    number = int(serial.read_text()) + 1 if serial.exists() else 1
    serial.write_text(str(number))
    authority = f"cluster {number}\n{AUTHORITY.read_text()}"
    cluster = {
        "server": (folder / "api").read_text(),
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    kubeconfig = {"clusters": [{"name": name, "cluster": cluster}], "users": [{"user": {"client-key-data": "S3CRET"}}]}
    Path(given["--kubeconfig"]).write_text(yaml.safe_dump(kubeconfig))


main(sys.argv[1:])
