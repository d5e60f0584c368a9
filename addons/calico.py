"""Calico: the pods' network and NetworkPolicy. The manifest is the module's own calico-vxlan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from addons.base import Addon, Settings
from modules import artifacts
from modules.manifests import Object, ask_directly, change, not_awaited, parse, shell_env, slim_schemas, start_quickly
from modules.manifests.patch import ManifestError, container, without_init
from modules.topology.plan import LabPlan

NAME = "calico"
POOL_VXLAN = {"vxlan": "Always", "vxlan-cross-subnet": "CrossSubnet"}
# Felix answers here on the machine's loopback: far cheaper to ask than to start another calico-node for each question.
FELIX_READY: dict[str, Any] = {"httpGet": {"host": "127.0.0.1", "port": 9099, "path": "/readiness"}}
FELIX_LIVE: dict[str, Any] = {"httpGet": {"host": "127.0.0.1", "port": 9099, "path": "/liveness"}}
PROBES = ("livenessProbe", "readinessProbe")
# A pod's network counts as made when Felix has written its rules too. Without this a new pod can be ready, and get its
# share of requests, while its machine still drops what comes from others: a rolling update lost one now and then.
POLICY_SETUP = 10  # seconds; then the pod starts all the same
STATUS = "/var/run/calico"  # where Felix tells the plugin, a folder of the machine that both have
PLUGIN = '"type": "calico",'
# One brings the addresses of a lab older than Calico's own IPAM along, one mounts what the eBPF data plane needs. A lab
# has neither, and each takes a second of a machine's start, or fifteen where the machine is emulated.
NEEDLESS = ("upgrade-ipam", "mount-bpffs")


class CalicoSettings(Settings):
    """encapsulation: which packets between machines are wrapped; mtu of the pods' interfaces."""

    encapsulation: Literal["vxlan", "vxlan-cross-subnet"] = Field(
        "vxlan",
        description="vxlan wraps every packet between machines, vxlan-cross-subnet only those to other subnets.",
    )
    mtu: Literal["auto"] | Annotated[int, Field(ge=576, le=9000)] = Field(
        "auto", description="Of the pods' interfaces; auto is the machines' own less what the encapsulation needs."
    )

    @field_validator("encapsulation", mode="before")
    @classmethod
    def _needs_no_bird(cls, value: object) -> object:
        if value in ("ipip", "ipip-cross-subnet", "none"):
            raise ValueError(f"{value} needs Calico's BGP daemon, which this manifest does not run; use vxlan")
        return value


def objects(plan: LabPlan, settings: CalicoSettings) -> list[Object]:
    def config(obj: Object) -> None:
        obj["data"]["veth_mtu"] = "0" if settings.mtu == "auto" else str(settings.mtu)
        plugins = obj["data"]["cni_network_config"]
        if plugins.count(PLUGIN) != 1:
            raise ManifestError(f"cni_network_config has not one plugin {PLUGIN}", where=f"manifest {NAME}")
        waits = f'{PLUGIN}\n      "policy_setup_timeout_seconds": {POLICY_SETUP},'
        obj["data"]["cni_network_config"] = plugins.replace(PLUGIN, waits)

    def node(obj: Object) -> None:
        without_init(obj, *NEEDLESS)
        main = container(obj, "calico-node")
        for one in (container(obj, "install-cni"), main):
            ask_directly(one, plan.api_server)
        shell_env(
            main,
            {
                "CALICO_IPV4POOL_CIDR": plan.network.pods,
                "CALICO_IPV4POOL_IPIP": "Never",
                "CALICO_IPV4POOL_VXLAN": POOL_VXLAN[settings.encapsulation],
                # A machine may have other interfaces; pods must not go through those.
                "IP_AUTODETECTION_METHOD": f"cidr={plan.network.machines}",
                "FELIX_ENDPOINTSTATUSPATHPREFIX": STATUS,
            },
        )
        for probe, handler in zip(PROBES, (FELIX_LIVE, FELIX_READY), strict=True):
            main[probe] = {**handler, **{key: value for key, value in main[probe].items() if key != "exec"}}
        start_quickly(main, often=True)

    def controllers(obj: Object) -> None:
        for probe in PROBES:  # each question starts a program
            container(obj, "calico-kube-controllers")[probe]["periodSeconds"] = 60

    found = slim_schemas(parse(artifacts.manifest(NAME), source=f"manifest {NAME}"))
    found = change(found, "ConfigMap", "calico-config", config)
    found = change(found, "DaemonSet", "calico-node", node)
    found = change(found, "Deployment", "calico-kube-controllers", controllers)
    # The controllers only tidy up: a lab is ready without them, and they start when the first machine is.
    return [
        not_awaited(obj) if (obj["kind"], obj["metadata"]["name"]) == ("Deployment", "calico-kube-controllers") else obj
        for obj in found
    ]


ADDON = Addon(NAME, frozenset({"cni", "network-policy"}), CalicoSettings, objects)
