"""Three masters in containers: the API stays when the first is gone."""

from __future__ import annotations

import pytest

from modules.base.probe import Answer, wait_for
from modules.host.engine import choose
from tests.support.labs import SMALL, Lab
from tests.support.project import Project

pytestmark = pytest.mark.large


def test_three_masters_behind_one_endpoint(project: Project) -> None:
    lab = Lab.of(project, "masters", {**SMALL, "masters": 3, "workers": 1})
    try:
        lab.up().ok()
        nodes = lab.get("nodes", "-l", "node-role.kubernetes.io/control-plane")["items"]
        assert len(nodes) == 3
        first = lab.outputs()["machines"][0]["name"]
        choose().run("stop", "--time", "1", first, timeout=60)
        wait_for(
            "the API answers without its first master",
            lambda: Answer(lab.kubectl("get", "--raw", "/readyz").code == 0 or None, "no answer"),
            timeout=90,
        )
    finally:
        lab.remove()
    lab.receipt().ok()
