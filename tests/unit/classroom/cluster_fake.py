"""A cluster behind a kubectl of the tests' own: objects in a file, tokens for Secrets, and who is let in.

What it cannot do is said in `faults`: words that change how it behaves.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import yaml

PROGRAM = """#!{python} -SE
import base64, fcntl, json, pathlib, sys
home = pathlib.Path({home!r})
lock = (home / "lock").open("w")
fcntl.flock(lock, fcntl.LOCK_EX)  # several students are asked for at a time
args, stdin = sys.argv[1:], sys.stdin.read()
with (home / "calls").open("a") as calls:
    calls.write(json.dumps([args, stdin]) + "\\n")
state = json.loads((home / "state").read_text())
faults, there = state["faults"], state["objects"]
def name(obj):
    return "/".join((obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
def end(out="", err="", code=0):
    (home / "state").write_text(json.dumps(state))
    print(out, end="")
    print(err, end="", file=sys.stderr)
    sys.exit(code)
asked = json.loads(stdin)["items"] if stdin else []
verb = next(word for word in args if word in ("apply", "get", "delete"))
text = pathlib.Path(args[args.index("--kubeconfig") + 1]).read_text()
if "down" in faults:
    token = state.get("token", "")
    end(token, "Unable to connect to the server: refused " + (token if token in text else ""), 1)
if "/api" in args:
    good = any(obj.get("token") and obj["token"] in text for obj in there.values()) or "accepts" in faults
    if good:
        end("{{}}")
    end("", "error: You must be logged in to the server (Unauthorized)\\n", 1)
if verb == "get":
    found = [there[name(obj)] for obj in asked if name(obj) in there]
    end(json.dumps({{"kind": "List", "items": found}}) if len(asked) > 1 else json.dumps(found[0]) if found else "")
if verb == "delete":
    for obj in asked:
        there.pop(name(obj), None)
    end("deleted")
for obj in asked:
    old = there.get(name(obj), {{}})
    if obj["kind"] == "Secret" and "slow" not in faults:
        if "token" not in old:
            state["made"] += 1
        token = old.get("token", "token-%d-not-to-be-seen" % state["made"])
        state["token"] = token
        obj = {{**obj, "token": token, "data": {{"token": base64.b64encode(token.encode()).decode()}}}}
    there[name(obj)] = obj
end("applied")
"""
AUTHORITY = "-----BEGIN CERTIFICATE-----\n"
ADMIN = {
    "clusters": [
        {
            "cluster": {
                "server": "https://10.208.1.11:6443",
                "certificate-authority-data": base64.b64encode(AUTHORITY.encode()).decode(),
            }
        }
    ],
    "users": [{"user": {"client-key-data": "the teacher's key"}}],
}


class Cluster:
    """The fake, in a folder."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.kubectl = home / "kubectl"
        self.kubectl.write_text(PROGRAM.format(python=sys.executable, home=str(home)))
        self.kubectl.chmod(0o755)
        self._save({"objects": {}, "faults": [], "made": 0})

    def fault(self, *words: str) -> None:
        self._save({**self.state, "faults": list(words)})

    def empty(self) -> None:
        """Another cluster."""
        self._save({**self.state, "objects": {}})

    def put(self, obj: dict[str, Any]) -> None:
        key = "/".join((obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
        self._save({**self.state, "objects": {**self.state["objects"], key: obj}})

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "state").read_text())
        return found

    @property
    def objects(self) -> set[str]:
        return set(self.state["objects"])

    @property
    def calls(self) -> list[tuple[list[str], str]]:
        file = self.home / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(args, text) for args, text in map(json.loads, lines)]

    def _save(self, state: dict[str, Any]) -> None:
        (self.home / "state").write_text(json.dumps(state))


def admin_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(ADMIN))
    return path
