"""Whose a machine is, from what its probe printed."""

from __future__ import annotations

import pytest

from modules.bootstrap.kubeadm import state
from modules.bootstrap.kubeadm.state import BEGUN, WHOLE, Mark, Verdict

KUBELET = "sign /etc/kubernetes/kubelet.conf\n"


def printed(mark: Mark | None, *lines: str) -> str:
    return f"mark {state.text(mark).strip() if mark else ''}\n" + "".join(lines)


def ours(how: str, generation: str = "g1", **changed: str) -> Mark:
    return Mark(**{"owner": "me", "stack": "ha", "state": how, "generation": generation, **changed})


@pytest.mark.parametrize(
    ("said", "generation", "verdict"),
    [
        (printed(None), "", Verdict.FRESH),
        ("", "", Verdict.FRESH),
        (printed(None, KUBELET), "", Verdict.FOREIGN),
        (printed(None, "sign /etc/kubernetes/manifests/kube-apiserver.yaml\n"), "", Verdict.FOREIGN),
        ("mark {not whole\n" + KUBELET, "", Verdict.FOREIGN),
        ("mark 1\n", "", Verdict.FRESH),
        (printed(ours(WHOLE, owner="another"), KUBELET), "", Verdict.FOREIGN),
        (printed(ours(BEGUN, owner="another")), "", Verdict.FOREIGN),
        (printed(ours(WHOLE, stack="dev"), KUBELET), "", Verdict.FOREIGN),
        (printed(ours(BEGUN)), "", Verdict.HALF),
        (printed(ours(BEGUN), KUBELET), "", Verdict.HALF),
        (printed(ours(WHOLE)), "", Verdict.HALF),
        (printed(ours(WHOLE), KUBELET), "", Verdict.OURS),
        (printed(ours(WHOLE), KUBELET), "g1", Verdict.OURS),
        (printed(ours(WHOLE), KUBELET), "g2", Verdict.OTHER),
    ],
)
def test_verdict(said: str, generation: str, verdict: Verdict) -> None:
    assert state.judge(state.parse(said), "me", "ha", generation) is verdict
