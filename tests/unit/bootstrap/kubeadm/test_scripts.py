"""The scripts that machines run: golden texts, and what a real shell makes of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modules.base.errors import LAST_LINES
from modules.bootstrap import endpoint, etcd
from modules.bootstrap.etcd import snapshot
from modules.bootstrap.kubeadm import admin, config, credentials, join, reset, running, state, upgrade
from tests.unit.bootstrap.kubeadm.cases import agrees

SCRIPTS = {
    "reset": reset.script(),
    "reset-all": reset.undo_all(),
    "init": running.script("1.36.3", ["init", "--config", "/etc/x y.yaml"], "echo after\n"),
    "activate": running.activate("1.36.3"),
    "admin": admin.script(),
    "point": join.point_to("api.stacklab-ha.internal", "192.168.26.11"),
    "tidy": join.tidy(),
    "state": state.PROBE,
    "signed": credentials.signed("abcdef"),
    "endpoint-undo": endpoint.undo(),
    "etcd-undo": etcd.undo(),
    "upgrade-look": upgrade.look("1.36.3"),
    "snapshot-stop": snapshot.stop(),
    "snapshot-restore": snapshot.restore("/opt/e", "m1", "https://10.0.0.1:2380", "m1=https://10.0.0.1:2380", "t"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_the_golden_one_and_sh_can_read_it(name: str) -> None:
    subprocess.run(["sh", "-n"], input=SCRIPTS[name], text=True, check=True)
    agrees(SCRIPTS[name], f"{name}.sh")


def here(script: str, folder: Path) -> str:
    """The same script with its places inside a folder."""
    for place in (
        "/run/stacklab",
        "/etc/hosts",
        "/opt/stacklab",
        "/usr/local/bin",
        "/etc/stacklab",
        "/var/lib/stacklab",
    ):
        script = script.replace(place, f"{folder}{place}")
    return script


def test_a_joining_master_finds_the_api_elsewhere_and_then_at_home_again(tmp_path: Path) -> None:
    hosts = tmp_path / "etc" / "hosts"
    hosts.parent.mkdir()
    (tmp_path / "run" / "stacklab").mkdir(parents=True)
    hosts.write_text("127.0.0.1 localhost\n10.0.0.2 api.x.internal\n")
    before = hosts.read_text()
    point, tidy = here(join.point_to("api.x.internal", "10.0.0.1"), tmp_path), here(join.tidy(), tmp_path)
    for _ in range(2):  # an interrupted run's line is replaced
        subprocess.run(["sh"], input=point, text=True, check=True)
        assert hosts.read_text() == "10.0.0.1 api.x.internal # stacklab joins\n" + before
    for _ in range(2):
        subprocess.run(["sh"], input=tidy, text=True, check=True)
        assert hosts.read_text() == before


def test_programs_of_a_version_become_the_active_ones_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "opt/stacklab/kubernetes/1.36.3"
    folder.mkdir(parents=True)
    (tmp_path / "usr/local/bin").mkdir(parents=True)
    for name in ("kubeadm", "kubelet", "kubectl"):
        (folder / name).write_text("")
        (folder / name).chmod(0o755)
    subprocess.run(["sh"], input=here(running.activate("1.36.3"), tmp_path), text=True, check=True)
    assert (tmp_path / "usr/local/bin/kubelet").resolve() == folder / "kubelet"
    assert sorted(p.name for p in (tmp_path / "usr/local/bin").iterdir()) == ["kubeadm", "kubectl", "kubelet"]


@pytest.mark.parametrize(
    ("resolved", "plain", "found"),
    [
        (None, "nameserver 10.0.0.1\n", "/etc/resolv.conf"),
        ("nameserver 10.0.0.1\n", "nameserver 127.0.0.53\n", "/run/systemd/resolve/resolv.conf"),
        ("# nobody\n", "nameserver 10.0.0.1\n", "/etc/resolv.conf"),
        ("# nobody\n", "nameserver 127.0.0.53\nnameserver 1.1.1.1\n", "/etc/resolv.conf"),
        ("# nobody\n", "nameserver 127.0.0.53\n", "/etc/stacklab/kubeadm/resolv.conf"),
        (None, None, "/etc/stacklab/kubeadm/resolv.conf"),
    ],
)
def test_dns_of_the_cluster_always_has_somebody_to_hand_on_to(
    resolved: str | None, plain: str | None, found: str, tmp_path: Path
) -> None:
    for path, text in (("run/systemd/resolve/resolv.conf", resolved), ("etc/resolv.conf", plain)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            (tmp_path / path).write_text(text)
    script = config.FIND_RESOLVER
    for place in ("/run/systemd/resolve", "/etc/resolv.conf", "/etc/stacklab"):
        script = script.replace(place, f"{tmp_path}{place}")
    script = script.replace("systemctl is-active --quiet systemd-resolved", "true" if resolved else "false")
    said = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{tmp_path}{found}"
    assert any("127." not in line for line in Path(said.strip()).read_text().splitlines())


@pytest.mark.skipif(shutil.which("flock") is None, reason="needs flock")
def test_a_kubeadm_that_outlived_its_run_is_ended_before_the_next_one_starts(tmp_path: Path) -> None:
    folder = tmp_path / "opt/stacklab/kubernetes/1.36.3"
    folder.mkdir(parents=True)
    program = folder / "kubeadm"
    program.write_text(
        f"#!{sys.executable}\nimport sys, time\nprint('ran', flush=True)\ntime.sleep(float(sys.argv[1]))\n"
    )
    program.chmod(0o755)
    first = subprocess.Popen(
        ["sh", "-c", here(running.script("1.36.3", ["60"]), tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "ran\n"
    started = time.monotonic()
    again = subprocess.run(
        ["sh", "-c", here(running.script("1.36.3", ["0"], "echo after\n"), tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == "ran\nafter\n"
    assert first.wait(timeout=5) != 0
    assert time.monotonic() - started < 20


def test_what_is_left_of_kubeadms_words_is_the_reason() -> None:
    said = "\n".join(
        [
            "[init] Using Kubernetes version: v1.36.3",
            "I1121 06:00:00.000000     100 init.go:1] noise",
            "error: error execution phase preflight: [preflight] Some fatal errors occurred:",
            "\t[ERROR Port-6443]: Port 6443 is in use",
            "k8s.io/kubernetes/cmd/kubeadm/app.Run()",
            "\t/go/src/k8s.io/kubernetes/cmd/kubeadm/kubeadm.go:25",
            "To see the stack trace of this error execute with --v=5 or higher",
        ]
    )
    assert running.gist(said).splitlines()[-1] == "\t[ERROR Port-6443]: Port 6443 is in use"


def test_the_name_of_an_authority_is_the_one_openssl_gives(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "crt"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, "-days", "1", "-subj", "/CN=kubernetes"], check=True, capture_output=True)
    public = subprocess.run(
        ["openssl", "x509", "-pubkey", "-noout", "-in", str(certificate)], check=True, capture_output=True
    ).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True, capture_output=True
    ).stdout
    digest = subprocess.run(["sha256sum"], input=der, check=True, capture_output=True).stdout.decode().split()[0]
    assert credentials.ca_hash(certificate.read_text()) == f"sha256:{digest}"


def test_the_kubelets_complaints_are_below_what_kubeadm_said() -> None:
    said = "\n".join(f"kubeadm {i}" for i in range(30))
    shown = running.joined(said, "a\nb\nfailed to run Kubelet: cgroup driver\nd\ne\n").splitlines()
    assert len(shown) == LAST_LINES
    assert shown[-6:] == ["kubeadm 29", "the kubelet says:", "b", "failed to run Kubelet: cgroup driver", "d", "e"]
    assert running.joined("kubeadm", "\n") == "kubeadm"


def test_only_errors_of_this_kubelet_are_its_complaints(tmp_path: Path) -> None:
    journal = """\
I1121 10:00:00.1 7 server.go:1] fine
E1121 10:00:01.1 7 run.go:72] "command failed" err="swap is on"
E1121 10:00:02.1 7 run.go:72] "command failed" err="swap is on"
kubelet.service: Failed
"""
    (tmp_path / "journal").write_text(journal)
    for name, body in (("systemctl", "echo Sat"), ("journalctl", f'[ "$2" = --since=Sat ] && cat {tmp_path}/journal')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    said = subprocess.run(["sh"], input=running.KUBELET, text=True, env=env, capture_output=True, check=True).stdout
    assert said == 'run.go:72] "command failed" err="swap is on"\n'


@pytest.mark.parametrize(
    ("progress", "versions", "current"),
    [
        (None, ("1.36.3", "1.36.3", "1.36.3"), True),
        ("1.36.3\n", ("1.36.3", "1.36.3", "1.36.3"), True),
        ("begun\n", ("1.36.3", "1.36.3", "1.36.3"), False),
        ("1.35.4\n", ("1.36.3", "1.36.3", "1.36.3"), False),
        (None, ("1.36.3", "1.35.4", "1.36.3"), False),
        (None, ("1.36.3", "1.36.3"), False),
        (None, (), False),
    ],
)
def test_how_far_an_upgrade_of_a_master_came(
    tmp_path: Path, progress: str | None, versions: tuple[str, ...], *, current: bool
) -> None:
    manifests = tmp_path / "etc" / "kubernetes" / "manifests"
    manifests.mkdir(parents=True)
    for pod, version in zip(upgrade.PODS, versions, strict=False):
        (manifests / f"{pod}.yaml").write_text(f"spec:\n  image: registry.k8s.io/{pod}:v{version}\n")
    noted = tmp_path / upgrade.PROGRESS.removeprefix("/")
    noted.parent.mkdir(parents=True)
    if progress:
        noted.write_text(progress)
    script = here(upgrade.look("1.36.3"), tmp_path).replace(upgrade.MANIFESTS, str(manifests))
    printed = subprocess.run(["sh", "-euc", script], text=True, check=True, capture_output=True).stdout
    assert upgrade.current(printed, "1.36.3") is current
