"""One machine of minikube with all addons and the app, by hand and by stacklab, in turn.

By hand is benchmarks/by_hand.sh with `minikube start` in place of kind: the same minikube, base image and manifests.
`--workers 1` measures stacklab alone with that many workers.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import statistics
import time
from typing import Any

import yaml

import addons
from benchmarks import results
from benchmarks.dev_lab import AFTER, _answering, _dump, _good, _plain
from benchmarks.processes import measure
from modules import artifacts
from modules.apps import objects as app_objects
from modules.artifacts import images
from modules.base.probe import Answer, wait_for
from modules.host import facts
from modules.host.engine import Engine, choose
from modules.known import known
from modules.local.minikube import command, shim
from modules.local.minikube.files import LabFiles
from modules.resources.minikube_cluster import PROGRAMS, inputs_of, profile_of
from modules.topology.parse import load
from modules.topology.plan import LabPlan, plan
from tests.support.labs import Lab
from tests.support.project import CHECKOUT, Project

STACK = CHECKOUT / "stacks" / "Pulumi.minikube.yaml"
HAND, OURS = "mkhand", "mkbench"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers-"


def by_hand(lab: LabPlan, files: LabFiles, engine: Engine, image: str, path: str) -> dict[str, str]:
    """Everything that the script needs, written; its environment."""
    here = facts.node_host(facts.read(), engine.name)
    profile = profile_of({**inputs_of(lab, image), "network": lab.cluster, "engine": engine.name})
    master = lab.machines[0].address
    script = shim.render(
        profile,
        binary=engine.binary,
        labels={},
        modules=here.modules_dir,
        cgroup_v1=here.cgroup_v1,
        aliases={"control-plane.minikube.internal": master},
    )
    files.write_tools({engine.name: script, "sudo": shim.SUDO})
    cached = {name: artifacts.binary(name, lab.kubernetes) for name in PROGRAMS}
    files.place_binaries(lab.kubernetes, cached, platform.machine())
    for name, addon in addons.discover().items():
        if name in lab.addons:
            found = _plain(addon.objects(lab, lab.addons[name]))
            _dump(files.folder / f"{name}.yaml", [o for o in found if o["kind"] not in AFTER])
            _dump(files.folder / f"{name}-after.yaml", [o for o in found if o["kind"] in AFTER])
    _dump(files.folder / "app.yaml", _plain(o for app in lab.apps for o in app_objects(app)))
    minikube = shlex.join([str(artifacts.binary("minikube")), *command.start(profile)])
    kubeconfig = files.folder / "kubeconfig"
    return {
        **os.environ,
        **command.environment(files.home, kubeconfig, path, files.bin, engine.env),
        "ENGINE": engine.name,
        "CLUSTER": lab.cluster,
        "SUBNET": lab.network.machines,
        "GATEWAY": lab.network.gateway,
        "CONFIG": "",
        "MANIFESTS": str(files.folder),
        "INGRESS_HOST": "kubia.example.com",
        "MAKE_CLUSTER": f"{minikube} && kubectl label nodes --all {EXCLUDE}",
    }


def _all_answer(lab: Lab) -> Answer[bool]:
    """The script too asks until it is answered: the cluster's DNS may be a moment behind."""
    try:
        _answering(lab)
    except AssertionError as error:
        return Answer(None, str(error))
    return Answer(True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    asked = parser.parse_args()
    engine = choose()
    project = Project.make(CHECKOUT / ".stacklab" / "bench")
    spec: dict[str, Any] = yaml.safe_load(STACK.read_text())["config"]["stacklab:lab"]
    lab = Lab.of(project, OURS, {**spec, "workers": asked.workers})
    ours = plan(load(project.stack_file(OURS), known()), OURS)
    image = images.ensure_base_image(ours.kubernetes, engine, addons=ours.addons)
    theirs = plan(load(project.stack_file(OURS), known()), HAND)
    files = LabFiles(CHECKOUT / ".stacklab" / "bench" / HAND)
    figures: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)
        print(f"  {name:24} {value:10.2f}", flush=True)

    def pulumi(name: str, *args: str) -> None:
        argv = ["pulumi", *args, "--yes", "--skip-preview", "--non-interactive", "--stack", OURS]
        note(name, _good(measure(argv, cwd=project.folder, env=project.env)).seconds)

    def away() -> None:
        engine.run("rm", "--force", "--time", "0", "--ignore", *(m.name for m in theirs.machines), timeout=120)
        engine.run("volume", "rm", "--force", *(m.name for m in theirs.machines), timeout=60, check=False)
        engine.run("network", "rm", "-f", theirs.cluster, timeout=60, check=False)
        files.remove()

    try:
        for number in range(1, asked.rounds + 1):
            print(f"round {number} of {asked.rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
            if not asked.workers:
                env = by_hand(theirs, files, engine, image, project.env["PATH"])
                done = _good(measure(["benchmarks/by_hand.sh"], cwd=CHECKOUT, env=env))
                note("by hand up", done.seconds)
                print("   ", " ".join(done.output.split("\n")), flush=True)
                away()
            pulumi("up", "up")
            started = time.monotonic()
            wait_for("every exposure answers", lambda: _all_answer(lab), timeout=90)
            note("then answering", time.monotonic() - started)
            pulumi("up, no change", "up")
            pulumi("destroy", "destroy")
    finally:
        away()
        lab.remove()
    results.save(f"minikube_lab_{asked.workers}", figures)
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print("\n" + "\n".join(f"{name:24} {value:10.2f}" for name, value in middle.items()))
    if "by hand up" in middle:
        print(f"up / by hand             {middle['up'] / middle['by hand up']:.2f}")


if __name__ == "__main__":
    main()
