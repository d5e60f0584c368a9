"""What of kind's output is worth a person's time."""

from __future__ import annotations

from modules.local.kind import evidence

SAID = """\
Creating cluster "stacklab-dev" ...
ERROR: failed to create cluster: failed to join node with kubeadm: command "podman exec" failed: exit status 1

Command Output: I1121 04:48:43.106120     356 join.go:423] [preflight] found NodeName empty
I1121 04:48:43.106120     356 join.go:423] [preflight] more
W1121 04:48:43.106767     356 joinconfiguration.go:112] [config] WARNING: Ignored
[kubelet-start] Starting the kubelet
error: error execution phase etcd-join: the etcd member 3dca is not started
k8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow.(*Runner).Run.func1
\tk8s.io/kubernetes@v1.36.3/cmd/kubeadm/app/cmd/join.go:187
main.main
\truntime/proc.go:290
"""


def test_the_reason_stands_last() -> None:
    lines = evidence.gist(SAID).splitlines()
    assert lines[-1] == "error: error execution phase etcd-join: the etcd member 3dca is not started"
    assert lines[1].startswith("ERROR: failed to create cluster")
    assert len(lines) == 5
