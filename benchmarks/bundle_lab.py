"""The dev stack's `up` out of an unpacked bundle and out of the user's cache, in turn, in a room without a way out."""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from benchmarks import results
from modules.base import paths
from tests.support.labs import Lab, tear_down
from tests.support.project import CHECKOUT, Project, Ran
from tests.support.wall import wall

STACK = "walled"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=2)
    rounds: int = arguments.parse_args().rounds
    figures: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Ran]) -> None:
        begun = time.monotonic()
        work().ok()
        figures.setdefault(name, []).append(round(time.monotonic() - begun, 1))
        print(f"{name}: {figures[name][-1]} s", flush=True)

    dev = yaml.safe_load((CHECKOUT / "stacks" / "Pulumi.dev.yaml").read_text())["config"]["stacklab:lab"]
    place = CHECKOUT / ".stacklab" / "bench-walled"
    with tempfile.TemporaryDirectory(dir=CHECKOUT / ".stacklab") as folder, wall(place / "engine") as inside:
        file = Path(folder) / "lab.tar"
        outside = Project.bare(Path(folder) / "outside")
        outside.write(STACK, dev)
        timed("bundle", partial(outside.run, "stacklab", "bundle", "-o", str(file), STACK, timeout=600))
        print(f"size: {file.stat().st_size / 1e9:.2f} GB", flush=True)
        for _ in range(rounds):
            for name, cache, sources in (
                ("bundle", place / "cache", f"bundle:{file}"),
                ("cache", paths.cache(), "auto"),
            ):
                project = Project.bare(place / name, {"STACKLAB_CACHE": str(cache)}, inside)
                spec = {**dev, "sources": sources}
                project.write(STACK, spec)
                timed(f"fetch, {name}", partial(project.run, "stacklab", "fetch", STACK, timeout=600))
                project.prepare()
                lab = Lab.of(project, STACK, spec)
                try:
                    timed(f"up, {name}", lab.up)
                    lab.verify().ok()
                    timed(f"destroy, {name}", lab.destroy)
                finally:
                    tear_down(project)
    shutil.rmtree(place)
    results.save("bundle_lab", figures)
    up = {name: statistics.median(figures[f"up, {name}"]) for name in ("bundle", "cache")}
    print(f"up out of the bundle / out of the cache  {up['bundle'] / up['cache']:.2f}")


if __name__ == "__main__":
    main()
