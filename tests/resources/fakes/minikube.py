"""A stand-in for minikube and kubectl: makes the machines of a profile through the engine on PATH, as minikube does.

$FAKE_ENGINE_STATE/minikube-breaks: a number of machines after which it fails; .../api: the API's address.
Installed as `minikube` and as `kubectl`; what both were called with is in $FAKE_ENGINE_STATE/said.json.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

AUTHORITY = Path(__file__).with_name("authority.pem")
FOLDER = Path(os.environ["FAKE_ENGINE_STATE"])


def engine(*args: str) -> str:
    podman = ["sudo", "-n", "podman"]  # as the podman driver does
    return subprocess.run([*podman, *args], check=True, capture_output=True, text=True).stdout.strip()


def say(words: list[str]) -> None:
    file = FOLDER / "said.json"
    said = json.loads(file.read_text()) if file.exists() else []
    file.write_text(json.dumps([*said, words]))


def options(words: list[str]) -> dict[str, str]:
    pairs = (word.removeprefix("--").partition("=") for word in words if word.startswith("--"))
    return {key: value for key, _, value in pairs}


def home() -> Path:
    return Path(os.environ["MINIKUBE_HOME"]) / ".minikube"


def profile(name: str) -> Path:
    return home() / "profiles" / name / "config.json"


def machine(name: str, node: dict[str, Any], known: dict[str, Any]) -> None:
    container = f"{name}-{node['Name']}" if node["Name"] else name
    if container in engine("ps", "-a", "--format", "{{.Names}}").split():
        return
    store = home() / "machines" / container
    if store.exists():
        sys.exit(f'X driver start: no container with name or ID "{container}" found')
    store.mkdir(parents=True)
    breaks = FOLDER / "minikube-breaks"
    if breaks.exists() and known["made"] >= int(breaks.read_text()):
        sys.exit("X Exiting due to K8S_KUBELET_NOT_RUNNING: wait: kubeadm init")
    known["made"] += 1
    runs(container, known["KubernetesConfig"]["KubernetesVersion"])
    if container in engine("volume", "ls", "--quiet").split():
        sys.exit(f"X what an earlier {container} had is found by kubeadm")
    engine("volume", "create", container, "--label", "created_by.minikube.sigs.k8s.io=true")
    engine(
        *("run", "--detach", "--tty", "--privileged", "--volume", "/lib/modules:/lib/modules:ro"),
        *("--hostname", container, "--name", container, "--label", "created_by.minikube.sigs.k8s.io=true"),
        *("--network", known["network"], "--ip", "10.201.7.250", "--volume", f"{container}:/var:exec"),
        *(f"--memory={known['memory']}", f"--cpus={known['cpus']}", known["KicBaseImage"]),
    )


def start(given: dict[str, str]) -> None:
    name = given["profile"]
    file = profile(name)
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    if not known:
        serial = FOLDER / "serial"
        serial.write_text(str(int(serial.read_text()) + 1 if serial.exists() else 1))
        count = int(given["nodes"])
        known = {"Nodes": [{"Name": f"m{n + 1:02}" if n else ""} for n in range(count)], "Name": name}
    known |= {"KicBaseImage": given["base-image"], "network": given["network"], "made": 0}
    known |= {"memory": given["memory"], "cpus": given["cpus"]}
    known["KubernetesConfig"] = {"KubernetesVersion": given["kubernetes-version"]}
    cached = home() / "cache" / "linux" / "amd64" / given["kubernetes-version"]
    if sorted(p.name for p in cached.iterdir()) != ["kubeadm", "kubectl", "kubelet"]:
        sys.exit("X it would have downloaded programs")
    for node in known["Nodes"]:
        machine(name, node, known)
    runs(name, given["kubernetes-version"])  # the workers' kubelets go on as they are
    keep(known)
    authority = f"cluster {(FOLDER / 'serial').read_text()}\n{AUTHORITY.read_text()}"
    cluster = {
        "server": (FOLDER / "api").read_text(),
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    kubeconfig = {"clusters": [{"name": name, "cluster": cluster}], "users": [{"user": {"client-key-data": "S3CRET"}}]}
    Path(os.environ["KUBECONFIG"]).write_text(json.dumps(kubeconfig))


def node(verb: str, rest: list[str]) -> None:
    given = options(rest)
    known = json.loads(profile(given["profile"]).read_text())
    if verb == "add":
        last = known["Nodes"][-1]["Name"] or "m01"
        known["Nodes"].append({"Name": f"m{int(last[1:]) + 1:02}"})
        machine(given["profile"], known["Nodes"][-1], known)
    else:
        gone = rest[0]
        known["Nodes"] = [n for n in known["Nodes"] if f"{given['profile']}-{n['Name']}" != gone]
        engine("rm", "-f", "-v", gone)
        engine("volume", "rm", gone)
        (home() / "machines" / gone).rmdir()
    keep(known)


def keep(known: dict[str, Any]) -> None:
    file = profile(known["Name"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**known, "made": 0}))


def runs(container: str, version: str) -> None:
    file = FOLDER / "kubelets.json"
    kubelets = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**kubelets, container: version}))


def kubectl(words: list[str]) -> None:
    state = json.loads((FOLDER / "state.json").read_text())
    if words[2:4] == ["get", "nodes"]:
        kubelets = json.loads((FOLDER / "kubelets.json").read_text())
        names = [n for n, c in state["containers"].items() if c["state"] == "running" and n in kubelets]
        again = [call[1] for call in state["calls"]["all"] if call[0] == "exec" and "restart kubelet" in call[-1]]
        newest = kubelets["stacklab-dev"]
        versions = {name: newest if name in again else version for name, version in kubelets.items()}
        status = {name: {"nodeInfo": {"kubeletVersion": versions[name]}} for name in names}
        items = [{"metadata": {"name": n, "labels": {}}, "spec": {}, "status": status[n]} for n in names]
        print(json.dumps({"items": items}))


def main(words: list[str]) -> None:
    say([Path(os.environ["FAKE_ENGINE_NAME"]).name, *words])
    if os.environ["FAKE_ENGINE_NAME"] == "kubectl":
        kubectl(words)
    elif words[0] == "start":
        start(options(words))
    else:
        node(words[1], words[2:])


main(sys.argv[1:])
