"""NetworkPolicy really blocks: a pod answers, is shut off by a policy, and answers again when the policy is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modules.base.errors import ProbeTimeoutError
from modules.base.probe import Answer, wait_for
from modules.verify.context import Context
from modules.verify.finding import Look
from modules.verify.probes import APPLY, GUARDED, LABEL, PORT

POLICY = "stacklab-deny"
ENFORCED_WITHIN = 20.0


def policy(namespace: str) -> dict[str, Any]:
    """Nobody may reach the guarded pod."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": POLICY, "namespace": namespace},
        "spec": {"podSelector": {"matchLabels": {LABEL: GUARDED}}, "policyTypes": ["Ingress"], "ingress": []},
    }


@dataclass(frozen=True)
class PolicyBlocks:
    name: str = "network-policy"
    description: str = "a deny policy shuts a pod off, and only as long as it is there"
    hint: str = "kubectl logs -n kube-system -l k8s-app=calico-node; does the network addon enforce policies?"
    within: float = ENFORCED_WITHIN

    def look(self, context: Context) -> Look:
        """Open, then shut, then open again: each awaited with a deadline of its own."""
        probes = context.probes
        pods = probes.ready()
        guarded = pods.guarded
        if guarded is None:
            return Look(False, "the guarded pod is not there")
        client = next((p for p in pods.probes if p.node != guarded.node), pods.probes[0])
        url = f"http://{guarded.address}:{PORT}/"

        def reaches(wanted: bool) -> Callable[[], Answer[bool]]:
            def ask() -> Answer[bool]:
                reply = probes.get(client, url, timeout=1)[0]
                return Answer(True if (reply.status == 200) == wanted else None, reply.shown)

            return ask

        space = ("--namespace", probes.namespace)
        before = probes.get(client, url)[0]
        if before.status != 200:
            return Look(False, f"not reachable even without a policy: {before.shown}")
        context.kubectl(*APPLY, stdin=json.dumps(policy(probes.namespace)))
        try:
            shut = _seconds("blocked", reaches(False), self.within)
        except ProbeTimeoutError as error:
            return Look(
                False,
                f"{guarded.node} still answers {client.node} {self.within:g} s after the deny policy: {error.output}",
                final=True,
            )
        finally:
            context.kubectl("delete", "networkpolicy", POLICY, *space, "--ignore-not-found", "--wait=false")
        opened = _seconds("open again", reaches(True), self.within)
        return Look(
            True, f"{client.node} -> {guarded.node} blocked after {shut:.1f} s, open again after {opened:.1f} s"
        )


def _seconds(what: str, look: Callable[[], Answer[bool]], within: float) -> float:
    started = time.monotonic()
    wait_for(what, look, timeout=within)
    return time.monotonic() - started
