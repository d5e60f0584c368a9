"""What is in a node, and its name: a function of everything that goes in and of nothing else."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from modules.artifacts.images import node
from modules.artifacts.images.layer import File, HardLink, Symlink, from_entries
from modules.artifacts.types import Artifact, Image, Kind, Part
from modules.base.errors import ArtifactError

CONFIG = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "registry.k8s.io/pause:3.10"\n'


def program(name: str) -> Artifact:
    return Artifact(name, "1", Kind.BINARY)


ONE = Image("registry.test/one", "1", {"/one": Part(program("one"))}, ("/one",))
RECIPE = node.NodeRecipe(
    kubernetes="1.36.3",
    pause="registry.test/pause:9",
    rootfs=Artifact("node", "1", Kind.ROOTFS),
    kind_files=Artifact("kind-node-files", "1", Kind.TREE),
    cni=Artifact("cni-plugins", "1", Kind.TREE),
    binaries={"/usr/bin/kubelet": program("kubelet"), "/opt/cni/bin/calico": program("calico")},
    links={"/opt/cni/bin/calico-ipam": "/opt/cni/bin/calico"},
    images=(ONE,),
)
DIGESTS = {"binary/kubelet@1": "aa", "rootfs/node@1": "bb"}


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Each artifact's content under its own name."""
    for name in ("kubelet", "calico", "node"):
        (tmp_path / name).write_bytes(name.encode())
    for name in ("etc/containerd/config.toml", "usr/local/bin/entrypoint", "usr/local/bin/clean-install", "kind/x.txt"):
        file = tmp_path / "kind-node-files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CONFIG)
    (tmp_path / "cni-plugins").mkdir()
    (tmp_path / "cni-plugins" / "loopback").write_text("plugin")
    return tmp_path


def test_the_name_says_the_version_and_twelve_digits_of_the_contents() -> None:
    name, _, tag = node.reference(RECIPE, DIGESTS).partition(":")
    version, _, digits = tag.partition("-")
    assert (name, version, len(digits)) == ("localhost/stacklab/node", "v1.36.3", 12)
    assert int(digits, 16)


def test_the_name_does_not_depend_on_order() -> None:
    turned = replace(RECIPE, binaries=dict(reversed(list(RECIPE.binaries.items()))))
    assert node.reference(turned, dict(reversed(DIGESTS.items()))) == node.reference(RECIPE, DIGESTS)


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, pause="registry.test/pause:10"),
        replace(RECIPE, binaries={**RECIPE.binaries, "/usr/bin/kubectl": program("kubectl")}),
        replace(RECIPE, binaries={"/usr/local/bin/kubelet": program("kubelet")}),
        replace(RECIPE, links={}),
        replace(RECIPE, images=()),
        replace(RECIPE, images=(replace(ONE, tag="2"),)),
        replace(RECIPE, images=(replace(ONE, entrypoint=("/two",)),)),
        replace(RECIPE, images=(replace(ONE, files={"/two": Part(program("one"))}),)),
        replace(RECIPE, images=(replace(ONE, base="base"),)),
        replace(RECIPE, images=(replace(ONE, links={"/a": "b"}),)),
        replace(RECIPE, images=(replace(ONE, user="1"),)),
        replace(RECIPE, on="registry.test/kindest/node@sha256:00"),
    ],
    ids=str,
)
def test_any_change_of_the_recipe_is_another_name(other: node.NodeRecipe) -> None:
    assert node.reference(other, DIGESTS) != node.reference(RECIPE, DIGESTS)


def test_any_change_of_a_digest_is_another_name() -> None:
    names = {
        node.reference(RECIPE, digests)
        for digests in (DIGESTS, {}, {**DIGESTS, "rootfs/node@1": "bc"}, {**DIGESTS, "tree/cni@1": "cc"})
    }
    assert len(names) == 4


def test_a_change_of_our_own_scripts_is_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = node.reference(RECIPE, DIGESTS)
    monkeypatch.setattr(node, "code", lambda *names: "changed")
    assert node.reference(RECIPE, DIGESTS) != before


def test_golden_files_of_a_node(artifacts: Path) -> None:
    found = {entry.path: entry for entry in node.entries(RECIPE, lambda artifact: artifacts / artifact.name)}
    files = {path: entry for path, entry in found.items() if isinstance(entry, File)}
    assert {path: oct(entry.mode) for path, entry in files.items()} == {
        "etc/containerd/config.toml": "0o644",
        "etc/systemd/journald.conf.d/stacklab.conf": "0o644",
        "kind/manifests/default-storage.yaml": "0o644",
        "kind/version": "0o644",
        "kind/x.txt": "0o644",
        "opt/cni/bin/calico": "0o755",
        "opt/cni/bin/loopback": "0o755",
        "usr/bin/kubelet": "0o755",
        "usr/local/bin/entrypoint": "0o755",
        "usr/local/bin/stacklab-entrypoint": "0o755",
    }
    assert files["kind/version"].content == b"v1.36.3"
    assert (
        files["etc/containerd/config.toml"].content
        == CONFIG.replace("registry.k8s.io/pause:3.10", "registry.test/pause:9").encode()
    )
    assert found["opt/cni/bin/calico-ipam"] == HardLink("opt/cni/bin/calico-ipam", "/opt/cni/bin/calico")
    assert {entry.path: entry.target for entry in found.values() if isinstance(entry, Symlink)} == {
        "etc/systemd/system/multi-user.target.wants/containerd.service": "/etc/systemd/system/containerd.service",
        "etc/systemd/system/multi-user.target.wants/kubelet.service": "/etc/systemd/system/kubelet.service",
        "etc/systemd/system/multi-user.target.wants/undo-mount-hacks.service": (
            "/etc/systemd/system/undo-mount-hacks.service"
        ),
        "etc/systemd/system/systemd-binfmt.service": "/dev/null",
        "usr/sbin/init": "/usr/lib/systemd/systemd",
    }


def test_a_node_is_two_layers_and_the_same_every_time(artifacts: Path) -> None:
    first, second = (node.layers(RECIPE, lambda artifact: artifacts / artifact.name) for _ in range(2))
    assert [layer.digest for layer in first] == [layer.digest for layer in second]
    assert len(first) == 2
    assert first[1].digest == from_entries(node.entries(RECIPE, lambda a: artifacts / a.name)).digest


def test_a_kind_whose_configuration_looks_different_is_refused() -> None:
    with pytest.raises(ArtifactError, match="sandbox image"):
        node.with_pause("version = 3\n", "registry.test/pause:9")


@pytest.mark.parametrize("name", ["bake.sh", "entrypoint.sh"])
def test_scripts_are_shell(name: str) -> None:
    subprocess.run(["sh", "-n"], input=node.script(name), text=True, check=True, timeout=10)


MOUNTINFO = """\
24 1 0:22 / /proc rw shared:5 - proc proc rw
31 30 0:27 / /sys/fs/cgroup/cpu rw shared:6 - cgroup cgroup rw,cpu
32 30 0:28 / /sys/fs/cgroup/net_cls,net_prio rw shared:7 - cgroup cgroup rw,net_cls,net_prio
33 30 0:29 / /sys/fs/cgroup/systemd rw shared:8 - cgroup cgroup rw,name=systemd
34 30 0:30 / /elsewhere/hugetlb rw - cgroup cgroup rw,hugetlb
35 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
CGROUPS = """\
#subsys_name hierarchy num_cgroups enabled
cpu 1 1 1
net_cls 2 1 1
net_prio 2 1 1
hugetlb 0 1 1
"""


def entrypoint(folder: Path, *, v2: bool = False, mount: str = 'echo "$@" >"$HERE/mounted"') -> str:
    """Run the entrypoint with its paths moved under `folder`; what kind's own entrypoint was given."""
    for name, text in (("mountinfo", MOUNTINFO), ("cgroups", CGROUPS)):
        (folder / name).write_text(text)
    if v2:
        (folder / "controllers").write_text("cpu\n")
    for name, body in (("mount", mount), ("kind-entrypoint", 'echo "$@"')):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    text = node.script("entrypoint.sh")
    for there, here in (
        ("/sys/fs/cgroup/cgroup.controllers", "controllers"),
        ("/proc/self/mountinfo", "mountinfo"),
        ("/proc/cgroups", "cgroups"),
        ("/kind/mounted-cgroups", "shown"),
        ("/usr/local/bin/entrypoint", "kind-entrypoint"),
    ):
        assert there in text
        text = text.replace(there, str(folder / here))
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HERE": str(folder)}
    done = subprocess.run(
        ["sh", "-c", text, "sh", "/sbin/init"], capture_output=True, text=True, check=True, env=env, timeout=10
    )
    return done.stdout


def test_on_cgroup_v1_only_mounted_controllers_are_shown(tmp_path: Path) -> None:
    assert entrypoint(tmp_path) == "/sbin/init\n"
    names = [line.split()[0] for line in (tmp_path / "shown").read_text().splitlines()]
    assert names == ["#subsys_name", "cpu", "net_cls", "net_prio"]
    assert (tmp_path / "mounted").read_text() == f"--bind {tmp_path}/shown {tmp_path}/cgroups\n"


def test_on_cgroup_v2_nothing_is_done(tmp_path: Path) -> None:
    assert entrypoint(tmp_path, v2=True) == "/sbin/init\n"
    assert not (tmp_path / "mounted").exists()
    assert not (tmp_path / "shown").exists()


def test_a_mount_that_fails_does_not_stop_the_node(tmp_path: Path) -> None:
    assert entrypoint(tmp_path, mount="exit 1") == "/sbin/init\n"
