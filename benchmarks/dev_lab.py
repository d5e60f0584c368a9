"""The dev lab by hand and by stacklab, in turn: `make bench`.

By hand is benchmarks/by_hand.sh: kind, kubectl apply and kubectl wait, one after the other, with the same binaries,
node image, kind configuration and manifests. Prints medians and ratios, and writes every figure to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import addons
from benchmarks import results
from benchmarks.processes import Measured, measure
from modules import artifacts
from modules.apps import objects as app_objects
from modules.base.probe import Answer, wait_for
from modules.host import facts
from modules.host.engine import Engine, choose
from modules.known import known
from modules.local.kind import config, shim
from modules.resources.kind_cluster import inputs_of, spec_of
from modules.topology.parse import load
from modules.topology.plan import LabPlan, plan
from tests.support.http import fetch
from tests.support.labs import Lab
from tests.support.project import CHECKOUT, Project

HAND, OURS = "byhand", "bench"
AFTER = ("IPAddressPool", "L2Advertisement")
Figures = dict[str, list[float]]


class ByHand:
    """The lab as the script makes it, and what the script needs for it."""

    def __init__(self, folder: Path, engine: Engine, image: str, path: str) -> None:
        self.engine = engine
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.plan = plan(load(CHECKOUT / "stacks" / "Pulumi.dev.yaml", known()), HAND)
        self._write(image)
        network = self.plan.network
        self.env = {
            **os.environ,
            **engine.env,
            "PATH": f"{folder / 'bin'}{os.pathsep}{path}",
            "ENGINE": engine.name,
            "CLUSTER": self.plan.cluster,
            "SUBNET": network.machines,
            "GATEWAY": network.gateway,
            "CONFIG": str(folder / "kind.yaml"),
            "MANIFESTS": str(folder),
            "KUBECONFIG": str(folder / "kubeconfig"),
            "INGRESS_HOST": "kubia.example.com",
            "KIND_EXPERIMENTAL_PROVIDER": engine.name,
            f"KIND_EXPERIMENTAL_{engine.name.upper()}_NETWORK": self.plan.cluster,
        }

    def _write(self, image: str) -> None:
        chosen = facts.node_host(facts.read(), self.engine.name)
        spec = spec_of({**inputs_of(self.plan, image), "network": self.plan.cluster})
        document = config.document(spec, chosen, artifacts.release(self.plan.kubernetes))
        (self.folder / "kind.yaml").write_text(yaml.safe_dump(document))
        # kind binds /lib/modules, which not every host has: the shim of our labs stands in for it.
        door = self.folder / "bin" / self.engine.name
        door.parent.mkdir(exist_ok=True)
        binary, modules = self.engine.binary, chosen.modules_dir
        door.write_text(shim.render(spec, engine=self.engine.name, binary=binary, labels={}, modules=modules))
        door.chmod(0o755)
        every = addons.discover()
        for name in self.plan.addons:
            found = _plain(every[name].objects(self.plan, self.plan.addons[name]))
            _dump(self.folder / f"{name}.yaml", [o for o in found if o["kind"] not in AFTER])
            _dump(self.folder / f"{name}-after.yaml", [o for o in found if o["kind"] in AFTER])
        _dump(self.folder / "app.yaml", _plain(o for app in self.plan.apps for o in app_objects(app)))

    def up(self) -> Measured:
        return _good(measure(["benchmarks/by_hand.sh"], cwd=CHECKOUT, env=self.env))

    def delete(self) -> float:
        done = measure(["kind", "delete", "cluster", "--name", self.plan.cluster], cwd=CHECKOUT, env=self.env)
        self.engine.run("network", "rm", "-f", self.plan.cluster, timeout=60)
        return _good(done).seconds


def _plain(objects: Any) -> list[dict[str, Any]]:
    """Without the annotations that only Pulumi reads."""
    found = json.loads(json.dumps(list(objects)))
    for one in found:
        notes = one["metadata"].get("annotations") or {}
        one["metadata"]["annotations"] = {k: v for k, v in notes.items() if not k.startswith("pulumi.com/")}
    return list(found)


def _dump(at: Path, objects: list[dict[str, Any]]) -> None:
    at.write_text(yaml.safe_dump_all(objects))


def _good(done: Measured) -> Measured:
    if done.code != 0:
        raise SystemExit(done.output[-4000:])
    return done


def _answering(lab: Lab) -> float:
    """Seconds until all exposures answer, asked as by_hand.sh asks them."""
    outputs = lab.outputs()
    ways = {one["kind"]: one for one in outputs["exposures"] if one["app"] == "kubia"}
    inside = ("exec", "deployment/kubia", "--", "/echo", "get", "--count", "1", "http://kubia")
    started = time.monotonic()

    def look() -> Answer[bool]:
        asked = lab.project.run("kubectl", "--kubeconfig", outputs["kubeconfigFile"], *inside)
        return Answer(asked.code == 0 or None, asked.output)

    wait_for("the app answers inside", look, timeout=60, every=0.1)
    fetch(ways["nodeport"]["url"])
    fetch(ways["loadbalancer"]["url"])
    fetch(f"http://{ways['ingress']['address']}/", host=ways["ingress"]["host"])
    return time.monotonic() - started


def _idle_memory(engine: Engine, lab_plan: LabPlan) -> int:
    """Bytes that the lab's machines hold, as the engine counts them."""
    names = [m.name for m in lab_plan.machines]
    shown = engine.run("stats", "--no-stream", "--format", "json", *names, timeout=60).stdout
    units = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

    def size(text: str) -> float:
        number = text.rstrip("kKMGiB")
        return float(number) * units[text[len(number) :]]

    used = [row.get("mem_usage") or row.get("MemUsage") for row in json.loads(shown)]
    return int(sum(size(text.split(" / ")[0].strip()) for text in used))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    engine = choose()
    project = Project.make(CHECKOUT / ".stacklab" / "bench")
    lab = Lab.like(project, OURS, CHECKOUT / "stacks" / "Pulumi.dev.yaml")
    our_plan = plan(load(project.stack_file(OURS), known()), OURS)
    image = artifacts.images.ensure_node_image(our_plan.kubernetes, engine)
    hand = ByHand(CHECKOUT / ".stacklab" / "bench" / "byhand", engine, image, project.env["PATH"])
    figures: Figures = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)
        print(f"  {name:24} {value:10.2f}", flush=True)

    def ours(name: str, *args: str) -> None:
        done = _good(
            measure(["pulumi", *args, "--non-interactive", "--stack", OURS], cwd=project.folder, env=project.env)
        )
        note(name, done.seconds)
        note(f"{name}, peak MB", done.peak / 1e6)

    try:
        for number in range(1, rounds + 1):
            print(f"round {number} of {rounds}", flush=True)
            done = hand.up()
            note("by hand up", done.seconds)
            print("   ", " ".join(done.output.split("\n")), flush=True)
            note("kind delete", hand.delete())
            ours("preview", "preview")
            ours("up", "up", "--yes", "--skip-preview")
            note("then answering", _answering(lab))
            ours("up, no change", "up", "--yes", "--skip-preview")
            note("idle MB", _idle_memory(engine, our_plan) / 1e6)
            ours("destroy", "destroy", "--yes", "--skip-preview")
    finally:
        hand.engine.run("network", "rm", "-f", hand.plan.cluster, timeout=60, check=False)
        lab.remove()
    _report(figures)


def _report(figures: Figures) -> None:
    middle: Callable[[str], float] = lambda name: statistics.median(figures[name])  # noqa: E731
    results.save("dev_lab", figures)
    print(f"\n{'':24} {'min':>10} {'median':>10} {'max':>10}")
    for name, values in figures.items():
        print(f"{name:24} {min(values):10.2f} {statistics.median(values):10.2f} {max(values):10.2f}")
    to_answers = middle("up") + middle("then answering")
    print(f"\nup, answering / by hand {to_answers / middle('by hand up'):.2f}")
    print(f"destroy / kind delete  {middle('destroy') / middle('kind delete'):.2f}")


if __name__ == "__main__":
    main()
