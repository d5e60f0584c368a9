"""The minikube cluster against stand-ins for minikube and the engine: made, adopted, changed in place, removed."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from modules import artifacts
from modules.artifacts import catalogue, images
from modules.artifacts.machine import payload
from modules.artifacts.machine.payload import ImageRef
from modules.base import shell
from modules.base.errors import CommandError, OwnershipError, StacklabError
from modules.host.engine import Engine
from modules.local.minikube import balancer, bring, driver, settings
from modules.local.minikube.bring import Parcel
from modules.resources import minikube_cluster
from modules.resources.container_network import ContainerNetworkProvider
from modules.resources.minikube_cluster import MinikubeClusterProvider
from tests.resources.conftest import FAKES, Host, install
from tests.resources.props import BASE_IMAGE, NETWORK, profile

provider = MinikubeClusterProvider()
MASTER, WORKER, NEW = "stacklab-dev", "stacklab-dev-m02", "stacklab-dev-m03"
FRONT = "stacklab-dev-external-load-balancer"
NEWER = "localhost/stacklab/minikube:v1.37.0-0123456789ab"


@pytest.fixture(autouse=True)
def _minikube(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_folder = tmp_path / "bin"
    programs = {name: install(bin_folder, name, FAKES / "minikube.py") for name in ("minikube", "kubectl")}
    for name in ("kubeadm", "kubelet"):
        programs[name] = bin_folder / name
        programs[name].write_text("program")
    monkeypatch.setenv("FAKE_ENGINE_STATE", str(host.folder))
    monkeypatch.setattr(artifacts, "binary", lambda name, _version="": programs[name])
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(
        images, "ensure_base_image", lambda version, _engine, addons: BASE_IMAGE.replace("1.36.3", version)
    )
    monkeypatch.setattr(minikube_cluster, "_parcel", lambda _: Parcel())
    ContainerNetworkProvider().create(NETWORK)


def lab(host: Host) -> Path:
    return host.project / ".stacklab" / "labs" / "dev"


def create(**changed: Any) -> dict[str, Any]:
    return dict(provider.create(profile(**changed)).outs or {})


def update(olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    return dict(provider.update("id", olds, news).outs or {})


def said(host: Host, *start: str) -> list[list[str]]:
    calls: list[list[str]] = json.loads((host.folder / "said.json").read_text())
    return [call for call in calls if call[: len(start)] == list(start)]


def made_anew(host: Host) -> int:
    return int((host.folder / "serial").read_text())


def test_create_makes_machines_with_fixed_addresses_and_marks(host: Host) -> None:
    outs = create()
    found = host.containers
    assert {name: c["address"] for name, c in found.items()} == {MASTER: "10.201.7.11", WORKER: "10.201.7.21"}
    for container in found.values():
        assert container["network"] == "stacklab-dev"
        assert container["labels"]["stacklab.owner"] == outs["owner"]
        assert container["labels"]["stacklab.stack"] == "dev"
        assert f"{host.project.parent}/modules:/lib/modules:ro" in container["volumes"]
    assert {v["labels"]["stacklab.owner"] for v in host.state["volumes"].values()} == {outs["owner"]}


def test_create_hands_out_whole_outputs(host: Host) -> None:
    outs = create()
    assert outs["nodes"] == [
        {"name": MASTER, "role": "master", "address": "10.201.7.11"},
        {"name": WORKER, "role": "worker", "address": "10.201.7.21"},
    ]
    assert outs["states"] == {MASTER: "running", WORKER: "running"}
    assert outs["endpoint"] == (host.folder / "api").read_text()
    assert "S3CRET" in outs["kubeconfig"]
    file = lab(host) / "kubeconfig"
    assert outs["kubeconfig_file"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_masters_keep_pods_away_only_when_there_are_workers(host: Host) -> None:
    create()
    taint = ["taint", "node", MASTER, "--overwrite", "node-role.kubernetes.io/control-plane:NoSchedule"]
    assert [call[3:] for call in said(host, "kubectl") if "taint" in call] == [taint]
    provider.delete("id", create())
    (host.folder / "said.json").unlink()
    create(workers=0)
    assert not [call for call in said(host, "kubectl") if "taint" in call]


def test_create_again_adopts_the_whole_lab(host: Host) -> None:
    """The run that made it was killed before Pulumi wrote its state."""
    first, second = create(), create()
    assert first == second
    assert made_anew(host) == 1


def test_create_starts_what_it_adopts(host: Host) -> None:
    create()
    host.engine.run("stop", WORKER, timeout=5)
    create()
    assert host.containers[WORKER]["state"] == "running"
    assert made_anew(host) == 1


@pytest.mark.parametrize("loss", ["a machine", "the kubeconfig", "another configuration"])
def test_create_makes_a_half_made_lab_anew(host: Host, loss: str) -> None:
    first = create()
    if loss == "a machine":
        host.engine.run("rm", "--force", WORKER, timeout=5)
    elif loss == "the kubeconfig":
        (lab(host) / "kubeconfig").unlink()
    second = create(**({"pods": "10.100.0.0/16"} if loss == "another configuration" else {}))
    assert made_anew(host) == 2
    assert first["generation"] != second["generation"]
    assert sorted(host.containers) == [MASTER, WORKER]


@pytest.mark.parametrize("label", [["--label", "created_by.minikube.sigs.k8s.io=true"], []])
def test_a_strangers_container_stays_as_it_is(host: Host, label: list[str]) -> None:
    """minikube itself would remove one that another minikube made."""
    host.engine.run("run", "--name", WORKER, "--net", "stacklab-dev", *label, "image", timeout=5)
    before = host.containers
    with pytest.raises(OwnershipError, match=r"stacklab-dev-m02 is there already and was made .*outside stacklab"):
        create()
    assert [f.property for f in provider.check({}, profile()).failures] == ["name"]
    assert host.containers == before


def test_a_failure_keeps_evidence_and_leaves_nothing_else(host: Host) -> None:
    (host.folder / "minikube-breaks").write_text("1")
    with pytest.raises(CommandError, match="minikube could not make the lab") as caught:
        create()
    text = str(caught.value)
    assert "K8S_KUBELET_NOT_RUNNING" in text
    assert "MINIKUBE_HOME" in text, "the command line can be pasted"
    assert (lab(host) / "logs" / f"{MASTER}.txt").exists()
    assert (host.containers, host.state["volumes"]) == ({}, {})
    assert not (lab(host) / "kubeconfig").exists()
    (host.folder / "minikube-breaks").unlink()
    create()


def test_without_its_network_minikube_is_not_even_started(host: Host) -> None:
    host.engine.run("network", "rm", "stacklab-dev", timeout=5)
    with pytest.raises(StacklabError, match="network stacklab-dev is gone"):
        create()
    assert not host.calls("run")


def test_a_stopped_machine_is_seen_by_the_diff_and_started_by_the_update(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = create()
    host.engine.run("stop", WORKER, timeout=5)
    assert provider.diff("id", outs, profile()).changes
    assert f"machine {WORKER} is exited" in capsys.readouterr().err
    assert update(outs, profile()) == outs
    assert not provider.diff("id", outs, profile()).changes
    assert len(said(host, "minikube", "start")) == 1


def test_an_engine_that_does_not_answer_does_not_hide_the_recorded_states(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = create()
    monkeypatch.setattr(Engine, "run", lambda *_, **__: (_ for _ in ()).throw(StacklabError("no answer")))
    assert minikube_cluster.states_now(outs) == outs["states"]


def test_a_new_worker_joins_in_place(host: Host) -> None:
    outs = create()
    news = profile(workers=2)
    grown = update(outs, news)
    assert host.containers[NEW]["address"] == "10.201.7.22"
    assert grown["states"] == {MASTER: "running", WORKER: "running", NEW: "running"}
    assert (grown["generation"], made_anew(host)) == (outs["generation"], 1)
    assert not provider.diff("id", grown, news).changes
    assert update(grown, news) == grown, "an update that was cut is finished by the next"
    assert len(said(host, "minikube", "node", "add")) == 1


def test_a_worker_that_goes_is_taken_out_in_place(host: Host) -> None:
    outs = create(workers=2)
    shrunk = update(outs, profile(workers=1))
    assert sorted(host.containers) == [MASTER, WORKER]
    assert sorted(host.state["volumes"]) == [MASTER, WORKER]
    assert shrunk["states"] == {MASTER: "running", WORKER: "running"}
    assert [call[3] for call in said(host, "minikube", "node", "delete")] == [NEW]
    assert made_anew(host) == 1


def test_the_last_worker_goes_and_the_master_takes_pods(host: Host) -> None:
    outs = create()
    update(outs, profile(workers=0))
    assert sorted(host.containers) == [MASTER]


def test_a_lost_worker_is_made_again_in_place(host: Host) -> None:
    outs = create()
    host.engine.run("rm", "--force", WORKER, timeout=5)
    read = provider.read("id", outs)
    assert read.outs
    assert read.outs["states"] == {MASTER: "running", WORKER: "missing"}
    mended = update(read.outs, profile())
    assert mended["states"] == outs["states"]
    assert made_anew(host) == 1
    assert ["delete", "node", WORKER, "--ignore-not-found"] in [call[3:] for call in said(host, "kubectl")]


def test_a_lost_master_takes_a_new_lab(host: Host) -> None:
    outs = create()
    host.engine.run("rm", "--force", MASTER, timeout=5)
    read = provider.read("id", outs)
    assert read.outs
    assert update(read.outs, profile())["generation"] != outs["generation"]
    assert made_anew(host) == 2


def test_several_masters_have_a_balancer_in_front_before_minikube_asks_there(host: Host) -> None:
    outs = create(masters=3, workers=1)
    first = next(call for call in host.calls("run") if "--name" in call)
    assert first[first.index("--name") + 1] == FRONT
    found = host.containers
    assert found[FRONT]["address"] == "10.201.7.10"
    assert found[FRONT]["labels"]["stacklab.owner"] == outs["owner"]
    assert found[FRONT]["labels"]["stacklab.masters"] == "10.201.7.11,10.201.7.12,10.201.7.13"
    assert outs["states"][FRONT] == "running"
    assert [node["name"] for node in outs["nodes"]] == [name for name in found if name != FRONT]
    linked = [call[1] for call in host.calls("exec") if call[-1] == balancer.WITHOUT_KUBE_VIP]
    assert linked == [MASTER, "stacklab-dev-m02", "stacklab-dev-m03"], "not on the worker"
    assert create(masters=3, workers=1) == outs
    assert made_anew(host) == 1
    provider.delete("id", outs)
    assert host.containers == {}


def test_more_masters_than_minikube_makes_at_once_come_before_the_workers(host: Host) -> None:
    create(masters=4, workers=1)
    assert "--nodes=3" in said(host, "minikube", "start")[0]
    assert [call[3] for call in said(host, "minikube", "node", "add")] == ["--control-plane", "--worker"]
    assert host.containers["stacklab-dev-m04"]["address"] == "10.201.7.14"
    assert host.containers["stacklab-dev-m05"]["address"] == "10.201.7.21"


def test_a_lost_balancer_is_made_again_in_place(host: Host) -> None:
    outs = create(masters=3, workers=0)
    host.engine.run("rm", "--force", FRONT, timeout=5)
    read = provider.read("id", outs)
    assert read.outs
    assert read.outs["states"][FRONT] == "missing"
    assert update(read.outs, profile(masters=3, workers=0))["states"] == outs["states"]
    assert made_anew(host) == 1


def test_a_new_master_joins_in_place_and_the_balancer_learns_of_it(host: Host) -> None:
    outs = create(masters=3, workers=0)
    grown = update(outs, profile(masters=4, workers=0))
    assert [call[3] for call in said(host, "minikube", "node", "add")] == ["--control-plane"]
    assert host.containers[FRONT]["labels"]["stacklab.masters"].endswith("10.201.7.13,10.201.7.14")
    shrunk = update(grown, profile(masters=3, workers=0))
    assert [call[3] for call in said(host, "minikube", "node", "delete")] == ["stacklab-dev-m04"]
    assert host.containers[FRONT]["labels"]["stacklab.masters"].endswith("10.201.7.12,10.201.7.13")
    assert (shrunk["generation"], made_anew(host)) == (outs["generation"], 1)


def test_a_newer_version_is_brought_to_the_machines_and_started_in_place(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = create()
    brought: list[tuple[str, ...]] = []
    monkeypatch.setattr(bring, "bring", lambda _engine, machines, _parcel: brought.append(tuple(machines)))
    news = profile(kubernetes="1.37.0", image=NEWER)
    newer = update(outs, news)
    assert brought == [(MASTER, WORKER)]
    assert [call for call in said(host, "minikube", "start") if "--kubernetes-version=v1.37.0" in call]
    assert (newer["kubernetes"], newer["image"]) == ("1.37.0", NEWER)
    assert (newer["generation"], made_anew(host)) == (outs["generation"], 1)
    renewed = [call[1] for call in host.calls("exec") if "restart kubelet" in call[-1]]
    assert renewed == [WORKER], "minikube leaves its kubelet as it is"
    kept = [call[1:3] for call in host.calls("exec") if call[-1] == "/run/stacklab-keep"]
    assert kept == [[MASTER, "touch"], [WORKER, "touch"], [MASTER, "rm"], [WORKER, "rm"]]
    again = len(said(host, "minikube", "start"))
    assert update(newer, news) == newer
    assert len(said(host, "minikube", "start")) == again


def test_a_newer_version_comes_to_the_other_masters_by_kubeadm(host: Host) -> None:
    outs = create(masters=3, workers=0)
    newer = update(outs, profile(masters=3, workers=0, kubernetes="1.37.0", image=NEWER))
    kubeadm = "/var/lib/minikube/binaries/v1.37.0/kubeadm"
    did = [(call[1], *call[3:5]) for call in host.calls("exec") if kubeadm in call]
    second, third = "stacklab-dev-m02", "stacklab-dev-m03"
    assert did == [
        *((MASTER, "init", "phase"), (second, "upgrade", "node")),
        *((MASTER, "init", "phase"), (third, "upgrade", "node")),
    ]
    assert (newer["generation"], made_anew(host)) == (outs["generation"], 1)


@pytest.mark.parametrize("runtime", ["containerd", "docker", "cri-o"])
def test_on_the_official_image_the_runtime_gets_what_no_registry_has(
    host: Host, tmp_path: Path, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "echo.tar"
    archive.write_text("image")
    monkeypatch.setattr(minikube_cluster, "_brought", lambda _: {"docker.io/stacklab/echo:1": archive})
    create(image=settings.OFFICIAL, runtime=runtime)
    assert ["pull", settings.OFFICIAL] not in host.calls("pull"), "it is there already"
    start = said(host, "minikube", "start")[0]
    assert {f"--base-image={settings.OFFICIAL}", f"--container-runtime={runtime}"} <= set(start)
    assert "--preload=false" not in start
    program = {"containerd": "ctr", "docker": "docker", "cri-o": "podman"}[runtime]
    loaded = [(call[1], call[2]) for call in host.calls("exec") if call[-1] == bring.DROP and call[2] != "rm"]
    assert loaded == [(MASTER, program), (WORKER, program)]


def test_the_official_image_is_pulled_by_its_digest_before_minikube_may_take_another(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []

    def run(_self: Engine, *words: str, **_: Any) -> shell.Result:
        calls.append(words)
        return shell.Result(code=1 if words[0] == "image" else 0, stdout="", stderr="", seconds=0)

    wanted = minikube_cluster.profile_of(profile(image=settings.OFFICIAL))
    monkeypatch.setattr(Engine, "run", run)
    assert minikube_cluster._ensure_image(wanted, host.engine) == settings.OFFICIAL
    assert calls == [("image", "inspect", settings.OFFICIAL), ("pull", settings.OFFICIAL)]


def test_only_what_no_registry_has_is_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        ImageRef(name, Path(name.replace("/", "_")))
        for name in ("docker.io/stacklab/echo:1", "quay.io/metallb/speaker:1")
    ]
    monkeypatch.setattr(payload, "ensure_payload", lambda _version: SimpleNamespace(images=made))
    monkeypatch.setattr(
        catalogue,
        "IMAGES",
        {image.reference: SimpleNamespace(upstream="stacklab" not in image.reference) for image in made},
    )
    official = minikube_cluster.profile_of(profile(image=settings.OFFICIAL))
    assert minikube_cluster._brought(official) == {made[0].reference: made[0].archive}
    assert minikube_cluster._brought(minikube_cluster.profile_of(profile())) == {}


def test_an_image_that_docker_shows_by_its_short_name_is_not_loaded_again() -> None:
    assert bring.familiar("docker.io/stacklab/echo:1") == "stacklab/echo:1"
    assert bring.familiar("docker.io/library/traefik:1") == "traefik:1"
    assert bring.familiar("quay.io/metallb/speaker:1") == "quay.io/metallb/speaker:1"


def test_without_minikubes_own_files_an_update_says_so(host: Host) -> None:
    outs = create()
    (lab(host) / "minikube" / ".minikube" / "profiles" / MASTER / "config.json").unlink()
    with pytest.raises(StacklabError, match="minikube's own files of this lab are gone"):
        update(outs, profile(workers=2))


def test_read_of_a_gone_one_says_so(host: Host) -> None:
    outs = create()
    host.engine.run("rm", "--force", MASTER, WORKER, timeout=5)
    read = provider.read("id", outs)
    assert (read.id, read.outs) == ("", {})


def test_delete_twice(host: Host) -> None:
    outs = create()
    provider.delete("id", outs)
    state = host.state
    assert (state["containers"], state["volumes"]) == ({}, {})
    assert list(state["networks"]) == ["stacklab-dev"], "the network is a resource of its own"
    assert not lab(host).exists()
    provider.delete("id", outs)


def test_another_checkouts_lab_is_a_strangers(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    outs = create()
    monkeypatch.setenv("STACKLAB_PROJECT", str(host.project.with_name("other")))
    with pytest.raises(OwnershipError, match=str(host.project)):
        create()
    provider.delete("id", {**outs, "owner": "another"})
    assert sorted(host.containers) == [MASTER, WORKER]


def test_minikubes_own_kubeconfig_is_whole_again_after_a_restart_that_was_cut(host: Host) -> None:
    own = lab(host) / "minikube" / "kubeconfig"
    outs = create(masters=3, workers=0)
    own.write_text("apiVersion: v1\n")
    update(outs, profile(masters=3, workers=1))
    assert own.read_text() == outs["kubeconfig"]


def test_minikubes_own_kubeconfig_keeps_its_certificates_while_masters_are_restarted(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """minikube loses embedded ones there, and files it keeps."""
    seen: list[str] = []
    own = lab(host) / "minikube" / "kubeconfig"
    restart = driver._restart

    def looked_at(wanted: driver.Lab, machines: Sequence[str]) -> None:
        seen.append(own.read_text())
        restart(wanted, machines)

    monkeypatch.setattr(driver, "_restart", looked_at)
    outs = create(masters=3, workers=0)
    own.write_text("apiVersion: v1\n")  # as a restart that was cut leaves it
    update(outs, profile(masters=3, workers=0, kubernetes="1.37.0", image=NEWER))
    (text,) = seen
    access = yaml.safe_load(text)
    assert access["clusters"][0]["cluster"]["server"] == outs["endpoint"]
    assert access["clusters"][0]["cluster"]["certificate-authority"].endswith("/.minikube/ca.crt")
    assert access["users"][0]["user"]["client-key"].endswith(f"/profiles/{MASTER}/client.key")
