"""Putting container images into a node image: one container, containerd in it, one commit.

The same for a node image of ours and for one of kind's own releases (a reference by digest). What is under way has
names made of the target's own, so a bake that was killed is cleared away by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.artifacts.images import node
from modules.artifacts.images.engine import ContainerEngine

log = logging.getLogger("stacklab.images")

BAKE_TIMEOUT = 900
COMMIT_TIMEOUT = 600


@dataclass(frozen=True)
class Archives:
    """Image archives to bake in. own: put together here, without whiteouts; foreign: pulled or built elsewhere."""

    own: tuple[Path, ...] = ()
    foreign: tuple[Path, ...] = ()

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.own, *self.foreign)


def job(target: str) -> str:
    """The name of the container and the volume of a bake."""
    return f"stacklab-bake-{target.rpartition('-')[2]}"


def start_command(base: str, target: str, archives: Archives, entrypoint: Path | None = None) -> list[str]:
    """The engine's arguments that run the bake script on `base`; entrypoint: ours, for a base that lacks it."""
    mounts = [
        (archive, f"/stacklab/{kind}/{number:03}.tar")
        for kind, files in (("own", archives.own), ("foreign", archives.foreign))
        for number, archive in enumerate(files)
    ]
    if entrypoint:
        mounts.append((entrypoint, "/stacklab/entrypoint"))
    return [
        "run",
        f"--name={job(target)}",
        "--privileged",
        "--network=none",
        "--entrypoint=/bin/sh",
        f"--volume={job(target)}:/stacklab/build",
        *(f"--volume={archive}:{place}:ro" for archive, place in mounts),
        base,
        "-c",
        node.script("bake.sh"),
    ]


def commit_command(target: str, command: Sequence[str] = node.COMMAND) -> list[str]:
    """The engine's arguments that turn the finished container into the image."""
    words = ", ".join(f'"{word}"' for word in command)
    return ["commit", "--change", f"ENTRYPOINT [{words}]", "--change", "CMD []", job(target), target]


def bake(
    engine: ContainerEngine,
    base: str,
    target: str,
    archives: Archives,
    entrypoint: Path | None = None,
    command: Sequence[str] = node.COMMAND,
) -> None:
    """Make image `target` of image `base` and the archives; leaves nothing else behind in the engine."""
    clear(engine, target)
    try:
        seen = engine.run(
            *start_command(base, target, archives, entrypoint),
            timeout=BAKE_TIMEOUT,
            where=f"node image {target}",
            hint="`stacklab doctor` says what this host's container engine can do",
        )
        log.debug("baked %s in %.1f s: %s", target, seen.seconds, seen.stdout)
        done = engine.run(*commit_command(target, command), timeout=COMMIT_TIMEOUT, where=f"node image {target}")
        log.debug("committed %s in %.1f s", target, done.seconds)
    finally:
        clear(engine, target)


def clear(engine: ContainerEngine, target: str) -> None:
    """Remove the container and the volume of a bake of this target, finished or not."""
    engine.run("rm", "--force", "--volumes", job(target), timeout=120, check=False)
    engine.run("volume", "rm", "--force", job(target), timeout=120, check=False)
