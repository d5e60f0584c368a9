"""A stand-in for kubectl, which keeps what it was called with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modules import artifacts


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *answers: str) -> Callable[[], list[str]]:
    """It gives these answers one after the other, the last one for ever; "" is a failure.

    The function that comes back tells its calls so far, a line each.
    """
    for number, answer in enumerate(answers):
        (folder / f"{number}").write_text(answer)
    calls = folder / "calls"
    calls.touch()
    program = folder / "kubectl"
    program.write_text(f"""#!/bin/sh
cd {folder}
n=$(wc -l <calls)
[ $n -lt {len(answers)} ] || n={len(answers) - 1}
echo "$*" >>calls
[ -s $n ] || {{ echo "Unable to connect to the server" >&2; exit 1; }}
cat $n
""")
    program.chmod(0o755)
    monkeypatch.setattr(artifacts, "binary", lambda _: program)
    return lambda: calls.read_text().splitlines()
