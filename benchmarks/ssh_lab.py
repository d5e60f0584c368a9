"""One master and two workers over SSH, by hand and by stacklab, in turn: `python -m benchmarks.ssh_lab`.

By hand is benchmarks/ssh_by_hand.sh: one machine after the other, with the same programs, images, configuration and
manifests. The machines are system containers, made anew for each turn; making them is not measured. Needs 3 machines'
worth of inotify instances.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

import addons
from benchmarks import results
from benchmarks.processes import measure
from modules.artifacts.machine import payload, texts
from modules.artifacts.store import Store
from modules.base import paths
from modules.bootstrap.kubeadm import config, running
from modules.known import known
from modules.machines.remote import Remote
from modules.resources import nodes
from modules.topology.parse import parse
from modules.topology.plan import LabPlan, plan
from tests.support.labs import Lab
from tests.support.machines import Machines, machines
from tests.support.project import CHECKOUT, Project

STACK, NETWORK = "benchssh", "stacklab-bench"
ADDRESSES = {"m1": "10.231.96.11", "w1": "10.231.96.21", "w2": "10.231.96.22"}


def spec(made: Machines) -> dict[str, Any]:
    def listed(*names: str) -> list[dict[str, str]]:
        return [{"name": name, "address": ADDRESSES[name]} for name in names]

    return {
        "backend": "ssh",
        "masters": listed("m1"),
        "workers": listed("w1", "w2"),
        "network": {"machines": "10.231.96.0/24", "loadbalancers": "10.231.96.200-10.231.96.220"},
        "ssh": {"user": "root", "key": str(made.key)},
        "addons": ["calico"],
        "apps": [],
    }


def write_texts(lab: LabPlan, folder: Path, first: Remote) -> None:
    """What a person would have in files before beginning."""
    cluster = nodes.cluster_of({**nodes.lab_props(lab), "masters": [m_props(lab, "m1")]}, "byhand")
    node = nodes.node_of(m_props(lab, "m1"), _limits(first))
    resolver = first.run(config.FIND_RESOLVER, timeout=30).stdout.strip()
    hosts = [f"{address} {name}" for name, address in ADDRESSES.items()] + [f"{ADDRESSES['m1']} {cluster.front.api}"]
    held = payload.payload(lab.kubernetes, Store(paths.cache()), addons=lab.addons)
    objects = addons.discover()["calico"].objects(lab, lab.addons["calico"])
    for name, text in {
        "hosts": "\n".join(hosts) + "\n",
        "containerd.toml": texts.containerd_config(held.pause, node.limits),
        "kubelet.yaml": config.kubelet_patch(node.limits, resolver),
        "activate.sh": running.activate(lab.kubernetes),
        "init.yaml": config.init(cluster, node),
        "calico.yaml": yaml.safe_dump_all(json.loads(json.dumps(list(objects)))),
        **{f"{address}.name": name for name, address in ADDRESSES.items()},
    }.items():
        (folder / name).write_text(text)


def _limits(first: Remote) -> dict[str, bool]:
    asked = first.run(
        "stat -fc %T /sys/fs/cgroup; (echo -1 >/proc/self/oom_score_adj) 2>/dev/null || echo fixed", timeout=20
    ).stdout.split()
    return {"cgroup_v1": asked[0] != "cgroup2fs", "no_oom_adjust": "fixed" in asked}


def m_props(lab: LabPlan, name: str) -> dict[str, Any]:
    return nodes.machine_props(lab, next(m for m in lab.machines if m.name == name))


def by_hand(made: Machines, lab: LabPlan) -> float:
    with tempfile.TemporaryDirectory() as folder:
        write_texts(lab, Path(folder), Remote(made.login("m1")))
        ssh = ["ssh", "-F", "none", "-i", str(made.key), "-o", f"UserKnownHostsFile={made.known_hosts}"]
        env = {
            **os.environ,
            "SSH": shlex.join([*ssh, "-o", "LogLevel=ERROR"]),
            "MASTER": ADDRESSES["m1"],
            "WORKERS": f"{ADDRESSES['w1']} {ADDRESSES['w2']}",
            "TEXTS": folder,
            "KUBERNETES": lab.kubernetes,
        }
        done = measure(["benchmarks/ssh_by_hand.sh"], cwd=CHECKOUT, env=env)
    if done.code != 0:
        raise SystemExit(done.output[-4000:])
    return done.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    project = Project.make(CHECKOUT / ".stacklab" / "bench")
    figures: dict[str, list[float]] = {}

    def note(name: str, seconds: float) -> None:
        figures.setdefault(name, []).append(seconds)
        print(f"  {name:24} {seconds:8.1f} s", flush=True)

    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds}", flush=True)
        with tempfile.TemporaryDirectory() as folder, machines(ADDRESSES, Path(folder), network=NETWORK) as made:
            note("by hand", by_hand(made, plan(parse(spec(made), known(), source=""), STACK)))
        with tempfile.TemporaryDirectory() as folder, machines(ADDRESSES, Path(folder), network=NETWORK) as made:
            lab = Lab.of(project, STACK, spec(made))
            try:
                for name in ("up", "up, no change"):
                    started = time.monotonic()
                    lab.up().ok()
                    note(name, time.monotonic() - started)
                started = time.monotonic()
                lab.destroy().ok()
                note("destroy", time.monotonic() - started)
            finally:
                leaving = Project(project.folder, {**project.env, "STACKLAB_LEAVE": "all"})
                Lab(leaving, STACK, lab.spec).remove()
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"up / by hand  {middle['up'] / middle['by hand']:.2f}")
    results.save("ssh_lab", figures)


if __name__ == "__main__":
    main()
