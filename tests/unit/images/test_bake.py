"""The engine's command lines of a bake, and that nothing is left of one that fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modules.artifacts.images import bake, engine, node
from modules.base.errors import CommandError
from modules.base.shell import Result

TARGET = "localhost/stacklab/node:v1.36.3-0123456789ab"
ARCHIVES = bake.Archives(own=(Path("/c/images.tar"),), foreign=(Path("/c/blobs/f1"), Path("/c/blobs/f2")))


class Recorder:
    """An engine that notes what it is asked and fails where it is told to."""

    name = "podman"
    binary = "podman"
    env: Mapping[str, str] = {}

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.calls: list[tuple[str, ...]] = []

    def run(self, *args: str, timeout: float, **kw: Any) -> Result:
        self.calls.append(args)
        if args[0] == self.fails_at:
            raise CommandError("podman failed", code=1, command=" ".join(args), output="")
        return Result(0, "", "", 0.0)

    @property
    def verbs(self) -> list[str]:
        return [" ".join(call[:2]) if call[0] == "volume" else call[0] for call in self.calls]


def test_golden_command() -> None:
    assert bake.start_command("base:1", TARGET, ARCHIVES, Path("/c/entrypoint")) == [
        "run",
        "--name=stacklab-bake-0123456789ab",
        "--privileged",
        "--network=none",
        "--entrypoint=/bin/sh",
        "--volume=stacklab-bake-0123456789ab:/stacklab/build",
        "--volume=/c/images.tar:/stacklab/own/000.tar:ro",
        "--volume=/c/blobs/f1:/stacklab/foreign/000.tar:ro",
        "--volume=/c/blobs/f2:/stacklab/foreign/001.tar:ro",
        "--volume=/c/entrypoint:/stacklab/entrypoint:ro",
        "base:1",
        "-c",
        node.script("bake.sh"),
    ]


def test_the_image_starts_with_our_entrypoint() -> None:
    assert bake.commit_command(TARGET) == [
        "commit",
        "--change",
        'ENTRYPOINT ["/usr/local/bin/stacklab-entrypoint", "/sbin/init"]',
        "--change",
        "CMD []",
        "stacklab-bake-0123456789ab",
        TARGET,
    ]


CLEAR = ["rm", "volume rm"]


def test_what_a_killed_bake_left_goes_first_and_nothing_stays() -> None:
    recorder = Recorder()
    bake.bake(recorder, "base:1", TARGET, ARCHIVES)
    assert recorder.verbs == [*CLEAR, "run", "commit", *CLEAR]


@pytest.mark.parametrize(("fails_at", "seen"), [("run", ["run"]), ("commit", ["run", "commit"])])
def test_a_bake_that_fails_leaves_nothing(fails_at: str, seen: list[str]) -> None:
    recorder = Recorder(fails_at)
    with pytest.raises(CommandError):
        bake.bake(recorder, "base:1", TARGET, ARCHIVES)
    assert recorder.verbs == [*CLEAR, *seen, *CLEAR]


def test_loading_and_asking() -> None:
    recorder = Recorder()
    engine.load(recorder, Path("/c/a.tar"))
    assert engine.has(recorder, "x:1")
    assert recorder.calls == [
        ("load", "--quiet", "--input", "/c/a.tar"),
        ("image", "inspect", "--format", "{{.Id}}", "x:1"),
    ]
