"""minikube's command lines and shims: golden files, and the shims really executed.

After a change on purpose: REGENERATE=1 pytest tests/unit/local, and read the difference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from modules.host.facts import NodeHost
from modules.local.kind import marks
from modules.local.kind.spec import ClusterSpec, Node
from modules.local.lifecycle import at_rest
from modules.local.minikube import command, evidence, profile, shim
from modules.local.minikube.spec import EXCLUDE, TAINT, Profile, Size
from tests.unit.local.cases import FRIENDLY, LABELS, RESTRICTED

GOLDEN = Path(__file__).parent / "golden"
SMALL, LARGE = Size(2, 2 << 30), Size(4, 3 << 30)
MOUNT = "/lib/modules:/lib/modules:ro"
MARKS = [word for key, value in LABELS.items() for word in ("--label", f"{key}={value}")]


def lab(masters: int = 1, workers: int = 1, driver: str = "podman") -> Profile:
    names = ["stacklab-dev", *(f"stacklab-dev-m{n:02}" for n in range(2, masters + workers + 1))]
    nodes = tuple(
        Node(name, "master", f"10.201.7.{11 + place}")
        if place < masters
        else Node(name, "worker", f"10.201.7.{21 + place - masters}")
        for place, name in enumerate(names)
    )
    cluster = ClusterSpec(
        stack="dev",
        name="stacklab-dev",
        kubernetes="1.36.3",
        image="localhost/stacklab/minikube:v1.36.3-0123456789ab",
        network="stacklab-dev",
        pods="10.244.0.0/16",
        services="10.96.0.0/12",
        proxy="iptables",
        balancer="10.201.7.254" if masters > 1 else "",
        nodes=nodes,
    )
    return Profile(cluster, driver, "containerd", {n.name: LARGE if n.role == "master" else SMALL for n in nodes})


CASES: Mapping[str, tuple[Profile, NodeHost]] = {
    "minikube-one-and-one-restricted-podman": (lab(), RESTRICTED),
    "minikube-three-and-two-friendly-docker": (lab(3, 2, "docker"), FRIENDLY),
    "minikube-official-image": (replace(lab(1, 0, "docker"), own_image=False), FRIENDLY),
}


def render(wanted: Profile, host: NodeHost, binary: str) -> str:
    return shim.render(
        wanted,
        binary=binary,
        labels=LABELS,
        modules=host.modules_dir,
        cgroup_v1=host.cgroup_v1,
        aliases={"control-plane.minikube.internal": "10.201.7.11"},
    )


def agrees(text: str, name: str) -> None:
    file = GOLDEN / name
    if os.environ.get("REGENERATE"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", CASES)
def test_start_is_the_golden_one(name: str) -> None:
    agrees("\n".join(command.start(CASES[name][0])) + "\n", f"{name}.txt")


@pytest.mark.parametrize("name", CASES)
def test_shim_is_the_golden_one(name: str) -> None:
    wanted, host = CASES[name]
    agrees(render(wanted, host, f"/usr/bin/{host.engine}"), f"{name}.sh")


def test_nothing_of_the_users_own_minikube_is_reached() -> None:
    env = command.environment(Path("/lab/mk"), Path("/lab/mk/kubeconfig"), "/bin", Path("/lab/bin"), {"A": "1"})
    assert (env["MINIKUBE_HOME"], env["KUBECONFIG"], env["TMPDIR"]) == ("/lab/mk", "/lab/mk/kubeconfig", "/lab/mk/tmp")
    assert (env["PATH"], env["A"]) == ("/lab/bin:/bin", "1")


def test_nodes_are_named_as_minikube_wants_it() -> None:
    assert command.add_node(lab(), lab().nodes[1]) == ["node", "add", "--worker", "--profile=stacklab-dev"]
    assert command.delete_node(lab(), "stacklab-dev-m02")[:3] == ["node", "delete", "stacklab-dev-m02"]


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A program, in a folder that needs quoting, that prints its arguments as JSON."""
    file = tmp_path / "the engine's own" / "podman"
    file.parent.mkdir()
    file.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(7)\n")
    file.chmod(0o755)
    return file


def call(engine: Path, *args: str, host: NodeHost = RESTRICTED, through: str = "podman") -> list[str]:
    folder = engine.parent.parent
    for name, text in (("podman", render(lab(), host, str(engine))), ("sudo", shim.SUDO)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run([folder / through, *args], capture_output=True, text=True, check=False, timeout=10, env=env)
    assert done.stderr == ""
    assert done.returncode == 7, "the engine's own exit status"
    words: list[str] = json.loads(done.stdout)
    return words


# As minikube calls it: what matters is among much that does not.
RUN = (
    *("run", "--cgroup-manager", "cgroupfs", "-d", "-t", "--privileged", "--tmpfs", "/tmp", "-v", MOUNT),
    *(
        "--hostname",
        "stacklab-dev-m02",
        "--name",
        "stacklab-dev-m02",
        "--network",
        "stacklab-dev",
        "--ip",
        "10.201.7.3",
    ),
    *("--volume", "stacklab-dev-m02:/var:exec", "--memory-swap=3072mb", "--memory=3072mb", "--cpus=4", "-e", "a b=c"),
    "localhost/stacklab/minikube:v1.36.3-0123456789ab",
)


def test_a_machine_gets_its_address_its_size_and_our_marks(engine: Path) -> None:
    got = call(engine, *RUN)
    assert got[:3] == ["run", "--ip", "10.201.7.21"]
    assert got[3:7] == ["--cgroupns", "private", "--add-host", "control-plane.minikube.internal:10.201.7.11"]
    assert got[7:13] == MARKS
    replaced = {MOUNT: "/cache/host/modules:/lib/modules:ro", "--cpus=4": "--cpus=2"}
    size = {f"--memory{word}=3072mb": f"--memory{word}=2147483648b" for word in ("", "-swap")}
    rest = [w for w in RUN[1:] if w not in ("--ip", "10.201.7.3")]
    assert got[13:] == [{**replaced, **size}.get(word, word) for word in rest]


def test_names_that_begin_alike_are_told_apart(engine: Path) -> None:
    words = [w.replace("stacklab-dev-m02", "stacklab-dev") for w in RUN]
    got = call(engine, *words)
    assert got[2] == "10.201.7.11"
    assert {"--cpus=4", "--memory=3221225472b"} <= set(got)


def test_a_host_with_all_rights_keeps_its_modules_and_namespaces(engine: Path) -> None:
    got = call(engine, *RUN, host=FRIENDLY)
    assert MOUNT in got
    assert "--cgroupns" not in got


def test_helpers_and_volumes_get_our_marks(engine: Path) -> None:
    """minikube fills each volume by a container of its own, which a kill may leave behind."""
    helper = ("--rm", "--name", "stacklab-dev-preload-sidecar", "-v", "stacklab-dev:/var", "image", "-d", "/var/lib")
    assert call(engine, "run", *helper) == ["run", *MARKS, *helper]
    volume = ("stacklab-dev", "--label", "created_by.minikube.sigs.k8s.io=true")
    assert call(engine, "volume", "create", *volume) == ["volume", "create", *MARKS, *volume]


@pytest.mark.parametrize(
    "words",
    [
        ["volume", "ls", "--filter", "label=a"],
        ["exec", "--privileged", "-i", "stacklab-dev", "cp", "/dev/stdin", "/a b"],
        ["container", "inspect", "stacklab-dev", "--format={{.State.Status}}"],
        ["network", "inspect", "stacklab-dev"],
        [],
    ],
)
def test_every_other_call_goes_through_as_it_is(engine: Path, words: list[str]) -> None:
    assert call(engine, *words) == words


@pytest.mark.parametrize("flags", [[], ["-n"], ["-n", "-k"]])
def test_sudo_is_not_needed(engine: Path, flags: list[str]) -> None:
    assert call(engine, *flags, "podman", "version", "--format", "{{.Version}}", through="sudo") == [
        *("version", "--format", "{{.Version}}")
    ]


def known(tmp_path: Path, **changed: object) -> profile.Known | None:
    file = tmp_path / "config.json"
    nodes = [{"Name": ""}, {"Name": "m02"}]
    data = {"Nodes": nodes, "KubernetesConfig": {"KubernetesVersion": "v1.36.3"}, "KicBaseImage": "image", **changed}
    file.write_text(json.dumps(data))
    return profile.read(file, "stacklab-dev")


def test_what_minikube_knows_of_a_profile(tmp_path: Path) -> None:
    assert known(tmp_path) == profile.Known(("stacklab-dev", "stacklab-dev-m02"), "1.36.3", "image")
    assert known(tmp_path, Nodes=[{"Name": "stacklab-dev"}]) == profile.Known(("stacklab-dev",), "1.36.3", "image")


def test_a_profile_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert profile.read(tmp_path / "nothing", "stacklab-dev") is None
    assert known(tmp_path, Nodes=None) is None
    (tmp_path / "config.json").write_text("{")
    assert profile.read(tmp_path / "config.json", "stacklab-dev") is None


def seen(wanted: Profile, *, labels: bool = False, taints: bool = False) -> dict[str, marks.Actual]:
    on = {EXCLUDE: ""} if labels else {}
    return {
        n.name: marks.Actual(on, (TAINT,) if taints else ()) if n.role == "master" else marks.Actual({}, ())
        for n in wanted.nodes
    }


def commands(wanted: Profile, before: Profile, actual: dict[str, marks.Actual]) -> list[list[str]]:
    return marks.commands(wanted.marked, wanted.as_left(before.marked.nodes), actual)


def test_masters_are_for_pods_only_without_workers() -> None:
    both, alone = lab(), lab(1, 0)
    assert commands(both, both, seen(both, labels=True)) == [["taint", "node", both.name, "--overwrite", TAINT]]
    assert commands(both, both, seen(both, labels=True, taints=True)) == []
    assert commands(alone, alone, seen(alone, labels=True)) == [
        ["label", "node", alone.name, "--overwrite", f"{EXCLUDE}-"]
    ]
    assert commands(alone, both, seen(alone, labels=True, taints=True)) == [
        ["label", "node", alone.name, "--overwrite", f"{EXCLUDE}-"],
        ["taint", "node", alone.name, "--overwrite", f"{TAINT}-"],
    ]


def test_the_reason_is_what_is_left_of_minikubes_output() -> None:
    output = "* Using the podman driver\n! warns\n\nX Exiting due to GUEST_START: no\n╭────╮\n│ * advice │\n╰────╯\n"
    assert evidence.gist(output) == "X Exiting due to GUEST_START: no"


def test_what_is_seen_now_counts_unless_the_machine_is_lost() -> None:
    recorded = {"a": "running", "b": "running", "c": "exited", "d": "running"}
    now = {"a": "exited", "b": "missing", "c": "running", "d": "running at 10.0.0.9"}
    assert at_rest(recorded, now) == {"a": "exited", "b": "running", "c": "running", "d": "running"}
