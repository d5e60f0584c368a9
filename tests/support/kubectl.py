"""A kubectl that keeps what it is asked, and says what a file tells it to by a word of the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROGRAM = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
text = sys.stdin.read() if "--filename=-" in sys.argv else ""
with open(here / "calls", "a") as calls:
    calls.write(json.dumps([sys.argv[1:], text]) + "\\n")
says = json.loads((here / "says").read_text())
for word in sys.argv:
    if word in says:
        print(says[word]["out"])
        sys.exit(says[word]["code"])
"""


class Kubectl:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "kubectl"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        self.says()

    def says(self, **words: tuple[str, int]) -> None:
        data = {word: {"out": out, "code": code} for word, (out, code) in words.items()}
        (self.folder / "says").write_text(json.dumps(data))

    def calls(self) -> list[list[str]]:
        return [words for words, _ in self._kept()]

    def told(self) -> list[str]:
        """What came in by standard input, of the calls that had some."""
        return [text for _, text in self._kept() if text]

    def _kept(self) -> list[tuple[list[str], str]]:
        file = self.folder / "calls"
        return [tuple(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
