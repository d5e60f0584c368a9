"""Where an update is, from the events of Pulumi's engine: as a real `up` of a kind lab told them."""

from __future__ import annotations

from modules.classroom.phases import FINISH, INSIDE, MACHINES, START, Progress

NETWORK = "pulumi-python:dynamic/stacklab:ContainerNetwork"
CLUSTER = "pulumi-python:dynamic/stacklab:KindCluster"
PROVIDER = "pulumi:providers:kubernetes"
POD = "kubernetes:apps/v1:Deployment"
READY = "pulumi-python:dynamic/stacklab:Ready"


def test_the_phases_of_an_up() -> None:
    progress = Progress(100.0)
    seen = []
    for at, kind in (
        (101, "pulumi:pulumi:Stack"),
        (103, NETWORK),
        (104, CLUSTER),
        (124, PROVIDER),
        (125, POD),
        (130, READY),
    ):
        progress.before(kind, at)
        seen.append(progress.phase)
        progress.after("create")
    progress.summary(150)
    progress.end(152)
    assert seen == [START, MACHINES, MACHINES, INSIDE, INSIDE, INSIDE]
    assert progress.spent == {START: 3, MACHINES: 21, INSIDE: 26, FINISH: 2}
    assert (progress.done, progress.created) == (6, 6)


def test_the_phases_of_a_removal() -> None:
    progress = Progress(0.0, removing=True)
    assert progress.before(POD, 2)
    assert not progress.before(CLUSTER, 3)
    progress.summary(9)
    progress.end(10)
    assert progress.spent == {START: 2, MACHINES: 7, FINISH: 1}
