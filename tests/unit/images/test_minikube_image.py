"""minikube's base image: what is in it, its name, and its two scripts really executed."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from modules.artifacts import catalogue
from modules.artifacts.images import minikube, node
from modules.artifacts.images.layer import Entry, File, Symlink, from_entries
from modules.artifacts.types import Artifact, Image, Kind, Part

ROW = catalogue.NEWEST
KUBERNETES = ("kubeadm", "kubelet", "kubectl")


def program(name: str) -> Artifact:
    return Artifact(name, "1", Kind.BINARY)


ONE = Image("registry.test/one", "1", {"/one": Part(program("one"))}, ("/one",))
RECIPE = minikube.BaseRecipe(
    release=ROW,
    minikube="1.38.1",
    rootfs=Artifact("minikube", "1", Kind.ROOTFS),
    kicbase_files=Artifact("kicbase-files", "1", Kind.TREE),
    cni=Artifact("cni-plugins", "1", Kind.TREE),
    binaries={"/usr/local/bin/containerd": program("containerd")},
    kubernetes_programs=tuple(program(name) for name in KUBERNETES),
    images=(ONE,),
)
DIGESTS = {"binary/kubelet@1": "aa"}


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    for name in ("containerd", *KUBERNETES):
        (tmp_path / name).write_bytes(name.encode())
    for name in minikube.PLACES:
        file = tmp_path / "kicbase-files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (tmp_path / "cni-plugins").mkdir()
    (tmp_path / "cni-plugins" / "loopback").write_text("plugin")
    return tmp_path


def entries(artifacts: Path) -> dict[str, Entry]:
    found = minikube.entries(RECIPE, lambda artifact: artifacts / artifact.name)
    from_entries(found)  # no path twice
    return {entry.path: entry for entry in found}


def test_the_name_says_the_version_and_changes_with_every_input() -> None:
    name = minikube.reference(RECIPE, DIGESTS)
    assert name.startswith(f"localhost/stacklab/minikube:v{ROW.version}-")
    others = [
        replace(RECIPE, minikube="1.39.0"),
        replace(RECIPE, release=replace(ROW, etcd="1")),
        replace(RECIPE, release=replace(ROW, pause="1")),
        replace(RECIPE, images=()),
        replace(RECIPE, links={"/a": "/b"}),
        replace(RECIPE, binaries={}),
    ]
    names = {minikube.reference(other, DIGESTS) for other in others} | {minikube.reference(RECIPE, {"a": "b"})}
    assert len(names | {name}) == len(others) + 2


def test_the_name_tells_the_extras_of_the_lab() -> None:
    name = minikube.reference(replace(RECIPE, extras=("flannel",)), DIGESTS)
    assert node.extras_of(name) == ("flannel",)
    assert node.extras_of(minikube.reference(RECIPE, DIGESTS)) == ()


def test_programs_lie_where_minikube_looks_and_are_not_copied_to_every_machine(artifacts: Path) -> None:
    found = entries(artifacts)
    place, looked_for = f"opt/stacklab/kubernetes/{ROW.version}", f"var/lib/minikube/binaries/v{ROW.version}"
    for name in KUBERNETES:
        real = found[f"{place}/{name}"]
        assert isinstance(real, File)
        assert (real.content, real.mode) == (artifacts / name, 0o755)
    assert found[f"{looked_for}/kubelet"] == Symlink(f"{looked_for}/kubelet", f"/{place}/kubelet")
    script = found[f"{looked_for}/kubeadm"]
    assert isinstance(script, File)
    assert script.content == minikube.kubeadm(ROW).encode()


def test_what_starts_with_the_machine(artifacts: Path) -> None:
    wanted = "etc/systemd/system/multi-user.target.wants/"
    started = {path.removeprefix(wanted) for path in entries(artifacts) if path.startswith(wanted)}
    assert started == {"containerd.service", "kubelet.service", "minikube-automount.service", "ssh.service"}


def test_minikube_finds_its_own_version(artifacts: Path) -> None:
    version = entries(artifacts)["version.json"]
    assert isinstance(version, File)
    assert isinstance(version.content, bytes)
    assert json.loads(version.content)["minikube_version"] == "v1.38.1"


def test_sudo_asks_for_no_password(artifacts: Path) -> None:
    rule = entries(artifacts)["etc/sudoers.d/20-passwordless-sudo"]
    assert isinstance(rule, File)
    assert rule.mode == 0o440


CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
etcd:
  local:
    dataDir: /var/lib/minikube/etcd
kubernetesVersion: v1.36.3
"""


@pytest.fixture
def kubeadm(tmp_path: Path) -> Path:
    """The script, with programs in place of kubeadm and kubectl that print their arguments and the file given."""
    real, script = tmp_path / "real", tmp_path / "kubeadm"
    real.mkdir()
    (real / "kubeadm").write_text(
        '#!/bin/sh\nprintf "%s|" "$@"; echo\n[ "$2" = --config ] && cat "$3"\n[ "$4" = kube-proxy ] || exit 4\n'
    )
    (real / "kubectl").write_text(f'#!/bin/sh\necho kubectl "$@"\n[ "$3" = set ] || [ -e {tmp_path}/coredns ]\n')
    text = minikube.kubeadm(ROW).replace(f"/opt/stacklab/kubernetes/{ROW.version}", str(real))
    script.write_text(text.replace("/run/", f"{tmp_path}/"))
    for file in (real / "kubeadm", real / "kubectl", script):
        file.chmod(0o755)
    return script


def test_kubeadm_is_given_the_tags_of_what_there_is(kubeadm: Path) -> None:
    config = kubeadm.parent / "kubeadm.yaml"
    config.write_text(CONFIG)
    words = [str(kubeadm), "init", "--config", str(config), "--ignore-preflight-errors=a, b"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    arguments, _, given = done.stdout.partition("\n")
    assert arguments == f"init|--config|{kubeadm.parent}/stacklab-kubeadm.yaml|--ignore-preflight-errors=a, b|"
    cluster = given.split("---\n")[1]
    assert f"dns:\n  imageTag: {ROW.coredns_tag}\n" in cluster
    assert f"etcd:\n  local:\n    imageTag: {ROW.etcd_tag}\n    dataDir:" in cluster
    assert done.returncode == 4, "kubeadm's own exit status"
    assert config.read_text() == CONFIG, "minikube compares it with what it would write"


@pytest.mark.parametrize("words", [["token", "create", "--ttl=0"], ["reset", "--force"], []])
def test_kubeadm_without_a_configuration_is_kubeadm(kubeadm: Path, words: list[str]) -> None:
    done = subprocess.run([kubeadm, *words], capture_output=True, text=True, timeout=10, check=False)
    assert done.stdout.splitlines()[0] == "".join(f"{word}|" for word in words) + ("|" if not words else "")


def said(kubeadm: Path, *words: str) -> tuple[int, list[str], str]:
    done = subprocess.run([kubeadm, *words], capture_output=True, text=True, timeout=10, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("words", [("init", "--skip-phases=preflight"), ("join", "host:8443")])
def test_images_get_the_names_that_another_repository_gives_them(
    kubeadm: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kubeadm.parent
    (folder / "ctr").write_text(
        "#!/bin/sh\n"
        f'[ "$4" != tag ] || {{ echo "$@" >>{folder}/tagged; exit; }}\n'
        "echo registry.k8s.io/coredns/coredns:v1; echo docker.io/a/b:1; echo registry.k8s.io/pause:3\n"
    )
    (folder / "ctr").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    kubeadm.write_text(kubeadm.read_text().replace("/etc/stacklab/", f"{folder}/"))
    assert said(kubeadm, *words)[1] == ["".join(f"{word}|" for word in words)]
    assert not (folder / "tagged").exists(), "there is no other repository"
    (folder / "image-repository").write_text("mirror.example.com/k8s\n")
    assert said(kubeadm, *words)[1] == ["".join(f"{word}|" for word in words)]
    tag = "--namespace k8s.io images tag --force registry.k8s.io"
    assert (folder / "tagged").read_text().splitlines() == [
        f"{tag}/coredns/coredns:v1 mirror.example.com/k8s/coredns:v1",
        f"{tag}/pause:3 mirror.example.com/k8s/pause:3",
    ]


def test_a_newer_coredns_than_kubeadms_own_is_changed_without_it(kubeadm: Path) -> None:
    config = kubeadm.parent / "kubeadm.yaml"
    config.write_text(CONFIG)
    words = ("init", "phase", "addon", "all", "--config", str(config))
    code, first, _ = said(kubeadm, *words)
    assert (code, first[0].startswith("init|phase|addon|all|--config|")) == (4, True), "at first there is none"
    (kubeadm.parent / "coredns").touch()
    code, lines, _ = said(kubeadm, *words)
    assert code == 0
    assert lines[0].startswith("init|phase|addon|kube-proxy|--config|")
    assert lines[1].endswith(f"set image deployment/coredns coredns=registry.k8s.io/coredns/coredns:{ROW.coredns_tag}")


@pytest.mark.parametrize("words", [["reset", "--force"], ["init", "--config", "/a.yaml"]])
def test_what_is_marked_is_not_taken_away(kubeadm: Path, words: list[str]) -> None:
    (kubeadm.parent / "stacklab-keep").touch()
    code, lines, reason = said(kubeadm, *words)
    assert (code, lines) == (1, [])
    assert "this machine is kept" in reason
    assert said(kubeadm, "token", "create")[1] == ["token|create|"]


def test_a_configuration_that_is_not_there_is_an_error(kubeadm: Path) -> None:
    done = subprocess.run([kubeadm, "init", "--config", "/nothing"], capture_output=True, timeout=10, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize(("cgroup_v2", "may_lower"), [(True, True), (False, False), (False, True)])
def test_the_machine_finds_out_what_its_host_allows(tmp_path: Path, cgroup_v2: bool, may_lower: bool) -> None:
    containerd = tmp_path / "etc/containerd/config.toml"
    containerd.parent.mkdir(parents=True)
    containerd.write_text("[a]\n  restrict_oom_score_adj = false\n")
    if cgroup_v2:
        (tmp_path / "cgroup.controllers").touch()
    adjust = tmp_path / ("score" if may_lower else "nothing/score")
    text = node.script("minikube-entrypoint.sh")
    for old, new in (
        ("/etc/", f"{tmp_path}/etc/"),
        ("/sys/fs/cgroup/", f"{tmp_path}/"),
        ("/proc/self/oom_score_adj", str(adjust)),
        ("/usr/local/bin/stacklab-entrypoint", "/bin/echo"),
        ("ssh-keygen -A", "true"),
    ):
        text = text.replace(old, new)
    for _ in range(2):  # a machine that is started again finds the same
        done = subprocess.run(
            ["sh", "-c", text, "entrypoint", "/sbin/init"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env=dict(os.environ),
        )
        assert (done.stdout, done.stderr) == ("/sbin/init\n", "")
    settings = (tmp_path / "etc/stacklab/kubelet.d/10-host.conf").read_text()
    assert ("failCgroupV1: false" in settings) == (not cgroup_v2)
    assert settings.count("KubeletInUserNamespace: true") == (0 if may_lower else 1)
    # minikube writes it over where there are blanks around the equals sign.
    assert ("restrict_oom_score_adj=true" in containerd.read_text()) == (not may_lower)
