"""A kubectl that a test writes: a script which answers by rules, first match first.

A rule: {"words": [...], "stdout": "", "stderr": "", "code": 0, "needs": "", "makes": "", "drops": "", "wait": false}
words: all must be in the command line (or in standard input); needs: a state that must hold ("!state": must not);
makes and drops: the state it leaves behind; wait: go on until SIGINT, as a port-forward does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """#!{python} -SE
import json, pathlib, signal, sys
home = pathlib.Path({home!r})
stdin = "" if "port-forward" in sys.argv else sys.stdin.read()
line = " ".join(sys.argv[1:])
with (home / "calls").open("a") as calls:
    calls.write(line + "\\n")
state = {{p.name for p in (home / "state").iterdir()}}
for rule in json.loads((home / "rules.json").read_text()):
    needs = rule.get("needs", "")
    holds = needs[1:] not in state if needs.startswith("!") else not needs or needs in state
    if holds and all(word in line or word in stdin for word in rule["words"]):
        if rule.get("makes"):
            (home / "state" / rule["makes"]).touch()
        if rule.get("drops"):
            (home / "state" / rule["drops"]).unlink(missing_ok=True)
        print(rule.get("stdout", ""), end="", flush=True)
        print(rule.get("stderr", ""), end="", file=sys.stderr, flush=True)
        if rule.get("wait"):
            signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
            signal.pause()
        sys.exit(rule.get("code", 0))
print("no rule for: " + line, file=sys.stderr)
sys.exit(99)
"""


class FakeKubectl:
    """The script and its rules in a folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "state").mkdir(parents=True)
        self.path = home / "kubectl"
        self.path.write_text(SCRIPT.format(python=sys.executable, home=str(home)))
        self.path.chmod(0o755)
        self._rules: list[dict[str, Any]] = []
        self.save()

    def save(self) -> None:
        (self.home / "rules.json").write_text(json.dumps(self._rules))

    def on(self, *words: str, **answer: Any) -> None:
        """A rule in front of those there are; a stdout that is not text is written as JSON."""
        if not isinstance(answer.get("stdout", ""), str):
            answer["stdout"] = json.dumps(answer["stdout"])
        self._rules.insert(0, {"words": list(words), **answer})
        self.save()

    @property
    def calls(self) -> list[str]:
        file = self.home / "calls"
        return file.read_text().splitlines() if file.exists() else []


def line(*, pod: str = "p", status: int = 200, url: str = "http://x/", error: str = "") -> str:
    """One line of `echo get`."""
    body = {"body": {"pod": pod}} if status else {}
    return json.dumps({"ok": status == 200, "status": status, "url": url, "error": error, **body}) + "\n"
