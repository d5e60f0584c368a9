"""Each addon as Kubernetes would be told it. UPDATE_GOLDEN=1 rewrites the golden files: read the difference."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import addons
from addons.flannel import addresses_of
from modules import artifacts
from modules.base.errors import InvalidStackError
from modules.manifests import Object, find
from modules.manifests.patch import ManifestError, container
from modules.topology.parse import parse
from tests.program import stand_in

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("calico", "flannel", "local-path", "metallb", "metrics-server", "traefik")


@pytest.fixture(autouse=True)
def _manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in.put_in_place(monkeypatch)


def objects(name: str, settings: dict[str, Any] | None = None) -> list[Object]:
    network = "flannel" if name == "flannel" else "calico"
    plan = stand_in.lab(addons={network: {}, "metallb": {}, name: settings or {}})
    return list(addons.discover()[name].objects(plan, plan.addons[name]))


def test_the_addons_of_this_version_are_found_by_themselves() -> None:
    assert tuple(addons.discover()) == NAMES
    assert {name: set(facts.provides) for name, facts in addons.facts().items()} == {
        "calico": {"cni", "network-policy"},
        "flannel": {"cni"},
        "local-path": {"storage"},
        "metallb": {"loadbalancer"},
        "metrics-server": {"metrics"},
        "traefik": {"ingress"},
    }


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_the_golden_ones(name: str) -> None:
    text = stand_in.shown(objects(name))
    file = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_calico_takes_its_settings_and_the_labs_ranges() -> None:
    made = objects("calico", {"encapsulation": "vxlan-cross-subnet", "mtu": 1400})
    env = {e["name"]: e.get("value") for e in container(find(made, "DaemonSet", "calico-node"), "calico-node")["env"]}
    plan = stand_in.lab()
    assert env["CALICO_IPV4POOL_VXLAN"] == "CrossSubnet"
    assert env["CALICO_IPV4POOL_CIDR"] == plan.network.pods
    assert env["IP_AUTODETECTION_METHOD"] == f"cidr={plan.network.machines}"
    assert find(made, "ConfigMap", "calico-config")["data"]["veth_mtu"] == "1400"


def test_a_pods_network_is_made_when_felix_has_written_its_rules() -> None:
    made = objects("calico")
    said = find(made, "ConfigMap", "calico-config")["data"]["cni_network_config"]
    plugin = json.loads(said.replace("__CNI_MTU__", "0"))["plugins"][0]
    assert plugin["policy_setup_timeout_seconds"] > 0
    env = {e["name"]: e.get("value") for e in container(find(made, "DaemonSet", "calico-node"), "calico-node")["env"]}
    assert env["FELIX_ENDPOINTSTATUSPATHPREFIX"] == "/var/run/calico"


def test_a_manifest_of_calico_without_its_plugin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    text = artifacts.manifest("calico")
    monkeypatch.setattr(artifacts, "manifest", lambda name: text.replace('"type": "calico"', '"type": "other"'))
    with pytest.raises(ManifestError, match="cni_network_config"):
        objects("calico")


@pytest.mark.parametrize("word", ["ipip", "none"])
def test_calico_says_why_it_cannot_do_without_vxlan(word: str) -> None:
    stack = {"backend": "kind", "addons": {"calico": {"encapsulation": word}}}
    with pytest.raises(InvalidStackError, match=r"addons\.calico\.encapsulation") as caught:
        parse(stack, stand_in.known())
    assert "vxlan" in str(caught.value)


def test_flannel_has_the_ranges_of_the_lab_and_is_ready_once_it_knows_its_own() -> None:
    made = objects("flannel")
    plan = stand_in.lab(addons={"flannel": {}})
    network = json.loads(find(made, "ConfigMap", "kube-flannel-cfg")["data"]["net-conf.json"])
    assert network["Network"] == plan.network.pods
    assert not network["EnableNFTables"]
    main = container(find(made, "DaemonSet", "kube-flannel-ds"), "kube-flannel")
    assert main["readinessProbe"]["exec"]["command"][-1] == "/run/flannel/subnet.env"
    assert main["args"][-1] == f"--iface-regex={addresses_of(plan.network.machines)}"


@pytest.mark.parametrize(
    ("cidr", "inside", "outside"),
    [
        ("192.168.26.0/24", ["192.168.26.0", "192.168.26.255"], ["192.168.2.6", "192.168.27.1", "192.168.126.1"]),
        ("172.16.0.0/12", ["172.16.0.1", "172.31.255.255"], ["172.32.0.1", "172.15.1.1", "172.160.0.1"]),
        ("10.0.0.0/8", ["10.1.2.3"], ["110.1.2.3", "100.1.2.3"]),
        ("10.1.2.128/25", ["10.1.2.128", "10.1.2.255"], ["10.1.2.127", "10.1.2.12", "110.1.2.128"]),
        ("10.1.2.3/32", ["10.1.2.3"], ["10.1.2.31", "10.1.2.4"]),
        ("0.0.0.0/0", ["1.2.3.4"], []),
    ],
)
def test_flannel_finds_an_interface_by_the_range_of_the_machines(
    cidr: str, inside: list[str], outside: list[str]
) -> None:
    pattern = re.compile(addresses_of(cidr))
    assert all(pattern.search(address) for address in inside)
    assert not any(pattern.search(address) for address in outside)


@pytest.mark.parametrize(("names", "said"), [(["calico", "flannel"], "leave out flannel"), (["metallb"], "add calico")])
def test_two_networks_for_pods_are_refused_and_none_as_well(names: list[str], said: str) -> None:
    with pytest.raises(InvalidStackError, match="exactly one network for its pods") as caught:
        stand_in.lab(addons={name: {} for name in names})
    assert said in str(caught.value)


def test_metallb_has_the_range_of_the_plan_and_accepts_it_before_its_webhook_serves() -> None:
    plan = stand_in.lab()
    made = objects("metallb")
    assert find(made, "IPAddressPool", "lab")["spec"]["addresses"] == ["-".join(plan.network.loadbalancers)]
    hooks = find(made, "ValidatingWebhookConfiguration", "metallb-webhook-configuration")["webhooks"]
    assert {h["failurePolicy"] for h in hooks} == {"Ignore"}


def test_traefik_runs_as_many_proxies_as_asked() -> None:
    assert find(objects("traefik", {"replicas": 3}), "Deployment", "traefik")["spec"]["replicas"] == 3


def test_a_new_addon_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "motd.py").write_text(
        """
from addons.base import Addon, Settings

class MotdSettings(Settings):
    text: str = "hello"

def objects(plan, settings):
    metadata = {"name": "motd", "namespace": "default"}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"motd": settings.text}}]

ADDON = Addon("motd", frozenset(), MotdSettings, objects)
"""
    )
    monkeypatch.setattr(addons, "__path__", [*addons.__path__, str(tmp_path)])
    made = objects("motd", {"text": "welcome"})
    assert find(made, "ConfigMap", "motd")["data"] == {"motd": "welcome"}
