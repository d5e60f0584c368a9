"""MetalLB: addresses for LoadBalancer services, announced by ARP on the machines' network."""

from __future__ import annotations

from addons.base import Addon, Settings
from modules import artifacts
from modules.manifests import Object, ask_directly, change, parse, ready_when, slim_schemas, start_quickly
from modules.manifests.patch import container
from modules.topology.plan import LabPlan

NAME = "metallb"
NAMESPACE = "metallb-system"
OURS = ("ipaddresspools.metallb.io", "l2advertisements.metallb.io")


class MetallbSettings(Settings):
    """No settings; the range is network.loadbalancers."""


def objects(plan: LabPlan, settings: MetallbSettings) -> list[Object]:
    def daemon(obj: Object) -> None:
        speaker = container(obj, "speaker")
        ask_directly(speaker, plan.api_server)
        start_quickly(speaker)

    found = slim_schemas(parse(artifacts.manifest(NAME), source=f"manifest {NAME}"))
    found = change(found, "Deployment", "controller", lambda o: start_quickly(container(o, "controller")))
    found = change(found, "DaemonSet", "speaker", daemon)
    found = change(found, "ValidatingWebhookConfiguration", "metallb-webhook-configuration", _let_through)
    definitions = [ready_when(o, "condition=Established") if o["metadata"]["name"] in OURS else o for o in found]
    return [*definitions, *pool(plan)]


def pool(plan: LabPlan) -> list[Object]:
    """The lab's addresses, announced by whichever machine MetalLB elects."""
    first, last = plan.network.loadbalancers
    metadata = {"name": "lab", "namespace": NAMESPACE}
    return [
        {
            "apiVersion": "metallb.io/v1beta1",
            "kind": "IPAddressPool",
            "metadata": metadata,
            "spec": {"addresses": [f"{first}-{last}"]},
        },
        {
            "apiVersion": "metallb.io/v1beta1",
            "kind": "L2Advertisement",
            "metadata": metadata,
            "spec": {"ipAddressPools": ["lab"]},
        },
    ]


def _let_through(obj: Object) -> None:
    """A resource of MetalLB's is accepted while its webhook does not answer yet.

    The pool is made before the controller runs, which is what would check it. Waiting for the controller would put the
    pool, and with it every address, behind the pods' network, and even a ready controller may not serve its webhook.
    The range was checked with the stack file. Once the controller runs, what users apply is checked as usual.
    """
    for webhook in obj["webhooks"]:
        webhook["failurePolicy"] = "Ignore"
        webhook["timeoutSeconds"] = 2


ADDON = Addon(NAME, frozenset({"loadbalancer"}), MetallbSettings, objects)
