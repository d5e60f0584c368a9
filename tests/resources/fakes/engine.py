"""A stand-in for podman and docker: containers, networks and volumes are entries of one JSON file.

Installed as `podman` or `docker` by an executable that runs this file; $FAKE_ENGINE_STATE names the folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = {"--detach", "--tty", "--privileged", "--rm", "--force", "--ignore", "--volumes", "-f", "-v", "-a", "-q"}
State = dict[str, dict[str, Any]]


@contextmanager
def state() -> Iterator[State]:
    folder = Path(os.environ["FAKE_ENGINE_STATE"])
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / "state.json"
        kept = json.loads(file.read_text()) if file.exists() else {"containers": {}, "networks": {}, "volumes": {}}
        yield kept
        file.write_text(json.dumps(kept, indent=1))


def options(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Options with a value, several of a name allowed, and the rest."""
    found: dict[str, list[str]] = {}
    rest: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if rest or not word.startswith("-"):
            rest.append(word)
        elif word in FLAGS or word in ("--no-trunc", "--quiet"):
            found.setdefault(word, [])
        elif "=" in word:
            key, value = word.split("=", 1)
            found.setdefault(key, []).append(value)
        else:
            found.setdefault(word, []).append(words.pop(0))
    return found, rest


def labels(found: dict[str, list[str]]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in found.get("--label", []))


def fits(entry: dict[str, Any], found: dict[str, list[str]]) -> bool:
    for wish in found.get("--filter", []):
        kind, _, value = wish.partition("=")
        key, _, content = value.partition("=")
        if kind == "label" and (key not in entry["labels"] or (content and entry["labels"][key] != content)):
            return False
        if kind == "network" and entry.get("network") != value:
            return False
    return True


def run(kept: State, words: list[str]) -> str:
    found, rest = options(words)
    name = found["--name"][0]
    if "--rm" in found:
        return ""
    if name in kept["containers"]:
        sys.exit(f"the container name {name} is already in use")
    network = (found.get("--net") or found.get("--network") or [""])[0]
    kept["containers"][name] = {
        "id": f"{len(name):02d}{abs(hash(name)):x}".ljust(64, "0")[:64],
        "state": "running",
        "labels": labels(found),
        "network": network,
        "address": (found.get("--ip") or [""])[0],
        "volumes": found.get("--volume", []),
        "image": rest[0],
    }
    return f"{kept['containers'][name]['id']}\n"


def pick(kept: State, key: str) -> list[str]:
    return [n for n, c in kept["containers"].items() if key in (n, c["id"])]


def inspect(kept: State, keys: list[str]) -> str:
    shown = []
    for key in keys:
        for name in pick(kept, key):
            one = kept["containers"][name]
            address = one["address"] if one["state"] == "running" else ""
            shown.append(
                {
                    "Id": one["id"],
                    "Name": name if os.environ["FAKE_ENGINE_NAME"] == "podman" else f"/{name}",
                    "State": {"Status": one["state"]},
                    "Config": {"Labels": one["labels"]},
                    "NetworkSettings": {"Networks": {one["network"]: {"IPAddress": address}}},
                }
            )
    return json.dumps(shown)


def ps(kept: State, found: dict[str, list[str]]) -> str:
    lines = []
    for name, one in kept["containers"].items():
        if fits(one, found):
            form = (found.get("--format") or ["{{.ID}}"])[0]
            lines.append(form.replace("{{.ID}}", one["id"]).replace("{{.Names}}", name))
    return "".join(f"{line}\n" for line in lines)


def network(kept: State, verb: str, words: list[str]) -> str:
    found, rest = options(words)
    nets = kept["networks"]
    if verb == "create":
        if rest[-1] in nets:
            sys.exit(f"network name {rest[-1]} already used")
        nets[rest[-1]] = {
            "labels": labels(found),
            "subnet": (found.get("--subnet") or [""])[0],
            "gateway": (found.get("--gateway") or [""])[0],
        }
        return f"{rest[-1]}\n"
    if verb == "ls":
        if found.get("--format") == ["json"]:
            return json.dumps(
                [
                    {
                        "name": n,
                        "network_interface": f"fake-{n}",
                        "subnets": [{"subnet": v["subnet"], "gateway": v["gateway"]}],
                        "labels": v["labels"],
                    }
                    for n, v in nets.items()
                ]
            )
        return "".join(f"{n}\n" for n in nets)
    missing = [n for n in rest if n not in nets]
    if missing:
        sys.exit(f"no such network: {missing[0]}")
    if verb == "rm":
        for n in rest:
            if any(c["network"] == n for c in kept["containers"].values()):
                sys.exit(f"network {n} is being used")
            del nets[n]
        return ""
    if os.environ["FAKE_ENGINE_NAME"] == "podman":
        return json.dumps([{"name": n, "subnets": [nets[n]], "labels": nets[n]["labels"]} for n in rest])
    return json.dumps(
        [
            {
                "Id": n.ljust(64, "0"),
                "Name": n,
                "Labels": nets[n]["labels"],
                "IPAM": {"Config": [{"Subnet": nets[n]["subnet"], "Gateway": nets[n]["gateway"]}]},
            }
            for n in rest
        ]
    )


def volume(kept: State, verb: str, words: list[str]) -> str:
    found, rest = options(words)
    if verb == "create":
        name = rest[0] if rest else f"volume{len(kept['volumes'])}"
        kept["volumes"][name] = {"labels": labels(found)}
        return f"{name}\n"
    if verb == "ls":
        return "".join(f"{n}\n" for n, v in kept["volumes"].items() if fits(v, found))
    if verb == "rm":
        for name in rest:
            kept["volumes"].pop(name)
        return ""
    return json.dumps([{"Name": n, "Labels": kept["volumes"][n]["labels"]} for n in rest])


def main(words: list[str]) -> str:
    with state() as kept:
        kept.setdefault("calls", {}).setdefault("all", []).append(words)
        verb, rest = words[0], words[1:]
        if verb == "--version":
            return f"{os.environ['FAKE_ENGINE_NAME']} version 4.3.1\n"
        if verb == "run":
            return run(kept, rest)
        if verb in ("network", "volume"):
            return (network if verb == "network" else volume)(kept, rest[0], rest[1:])
        found, names = options(rest)
        if verb == "inspect":
            return inspect(kept, names)
        if verb == "ps":
            return ps(kept, found)
        if verb == "rm":
            for key in names:
                for name in pick(kept, key):
                    del kept["containers"][name]
        if verb in ("start", "unpause", "stop", "pause"):
            for name in names:
                kept["containers"][name]["state"] = {"stop": "exited", "pause": "paused"}.get(verb, "running")
        if verb == "exec" and "get" in names:
            asked = sum("get" in call for call in kept["calls"]["all"])
            items = [
                {"metadata": {"name": n, "labels": {}}, "spec": {}}
                for n, c in kept["containers"].items()
                if "balancer" not in n and (asked > 1 or "worker" not in n)  # a worker is late
            ]
            return json.dumps({"items": items})
        return ""


sys.stdout.write(main(sys.argv[1:]))
