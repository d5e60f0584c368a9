"""kubeadm's configuration: a golden file for each kind of lab, and what must hold in all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from modules.artifacts.machine.texts import Limits
from modules.bootstrap.kubeadm import config
from tests.unit.bootstrap.kubeadm.cases import CONTAINER, agrees, cluster, nodes

VIP = "192.168.26.10"
SECRETS: Any = {"server": "192.168.26.11:6443", "token": "abcdef.0123456789abcdef", "ca_hash": "sha256:00"}
MASTER, WORKER = nodes(1, 1)
INITS = {
    "init-one-master": config.init(cluster(), MASTER),
    "init-three-masters": config.init(cluster(3), MASTER),
    "init-behind-an-address": config.init(cluster(3, vip=VIP), MASTER),
    "init-alone-in-a-container": config.init(cluster(), nodes(1, 0, CONTAINER)[0], alone=True),
    "init-external-etcd": config.init(cluster(etcd=("192.168.26.11", "192.168.26.21", "192.168.26.22")), MASTER),
    "init-mirror-nftables": config.init(
        replace(cluster(), repository="registry.example.com/k8s", proxy="nftables"), MASTER
    ),
    "init-to-lend": config.init(
        cluster(3), MASTER, certificate_key="00" * 32, token=("abcdef.0123456789abcdef", "15m")
    ),
    "join-worker": config.join(cluster(), WORKER, **SECRETS),
    "join-master": config.join(cluster(3), nodes(2, 0)[1], **SECRETS, certificate_key="00" * 32),
    "join-worker-with-taint": config.join(
        cluster(), replace(WORKER, taints=("dedicated=db:NoSchedule", "spare:NoExecute")), **SECRETS
    ),
    "patch": config.kubelet_patch(MASTER.limits, "/etc/resolv.conf"),
    "patch-emulated": config.kubelet_patch(Limits(emulated=True), "/etc/resolv.conf"),
    "patch-in-a-container": config.kubelet_patch(CONTAINER, config.RESOLVER),
}


@pytest.mark.parametrize("name", INITS)
def test_text_is_the_golden_one(name: str) -> None:
    agrees(INITS[name], f"{name}.yaml")


def documents(text: str) -> dict[str, Any]:
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def test_the_name_of_the_api_is_its_endpoint_and_every_way_to_it_is_in_the_certificate() -> None:
    found = documents(INITS["init-behind-an-address"])["ClusterConfiguration"]
    assert found["controlPlaneEndpoint"] == "api.stacklab-ha.internal:8443"
    wanted = {"api.stacklab-ha.internal", VIP, "master01", "192.168.26.13", "127.0.0.1"}
    assert wanted <= set(found["apiServer"]["certSANs"])
    alone = documents(INITS["init-one-master"])["ClusterConfiguration"]
    assert alone["controlPlaneEndpoint"] == "api.stacklab-ha.internal:6443"


def test_init_keeps_no_lasting_token() -> None:
    [token] = documents(INITS["init-one-master"])["InitConfiguration"]["bootstrapTokens"]
    assert token == {"ttl": "1m0s"}


def test_masters_take_pods_only_when_they_are_alone() -> None:
    def taints(name: str) -> Any:
        return documents(INITS[name])["InitConfiguration"]["nodeRegistration"]["taints"]

    assert taints("init-one-master") == [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    assert taints("init-alone-in-a-container") == []


def test_a_check_is_passed_over_only_where_the_machine_is_a_container() -> None:
    def registration(name: str) -> Any:
        return documents(INITS[name])["InitConfiguration"]["nodeRegistration"]

    assert "ignorePreflightErrors" not in registration("init-three-masters")
    assert registration("init-alone-in-a-container")["ignorePreflightErrors"] == ["SystemVerification"]


def test_settings_of_one_machine_are_not_in_the_clusters_own() -> None:
    for name in (name for name in INITS if name.startswith("init")):
        assert "failCgroupV1" not in INITS[name]
        assert "featureGates" not in INITS[name]
    assert yaml.safe_load(INITS["patch-in-a-container"])["failCgroupV1"] is False


def test_emulated_machines_may_be_late() -> None:
    def parts(limits: Limits) -> dict[str, Any]:
        text = config.init(cluster(), nodes(1, 0, limits)[0])
        found = next(d for d in yaml.safe_load_all(text) if d["kind"] == "ClusterConfiguration")
        names = ("controllerManager", "scheduler", "apiServer")
        given = {**{name: found.get(name, {}) for name in names}, "etcd": found["etcd"]["local"]}
        return {
            f"{name} {word['name']}": word["value"]
            for name, part in given.items()
            for word in (*part.get("extraArgs", ()), *part.get("extraEnvs", ()))
        }

    assert parts(Limits()) == {}
    late = parts(Limits(emulated=True))
    for part in ("controllerManager", "scheduler"):
        assert late[f"{part} leader-elect-lease-duration"] == "60s"
        assert late[f"{part} leader-elect-renew-deadline"] == "45s"
        assert late[f"{part} leader-elect-retry-period"] == "8s"
    assert (late["etcd election-timeout"], late["etcd heartbeat-interval"]) == ("10000", "1000")
    assert {name for name in late if name.endswith(" GOGC")} == {
        f"{part} GOGC" for part in ("apiServer", "controllerManager", "scheduler", "etcd")
    }


def test_an_emulated_masters_keys_are_quick_to_make() -> None:
    def algorithm(limits: Limits) -> object:
        text = config.init(cluster(), nodes(1, 0, limits)[0])
        found = next(d for d in yaml.safe_load_all(text) if d["kind"] == "ClusterConfiguration")
        return found.get("encryptionAlgorithm", "kubeadm's own")

    assert (algorithm(Limits()), algorithm(Limits(emulated=True))) == ("kubeadm's own", "ECDSA-P256")


def test_members_of_an_etcd_outside_are_nobody_elses_to_set() -> None:
    text = config.init(replace(cluster(), etcd=("192.168.26.31",)), nodes(1, 0, Limits(emulated=True))[0])
    found = next(d for d in yaml.safe_load_all(text) if d["kind"] == "ClusterConfiguration")
    assert set(found["etcd"]) == {"external"}
