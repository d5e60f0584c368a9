"""A folder with a class, its roster and a template, to be changed by tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.classroom.parse import Class, load
from tests.unit.topology.small import KNOWN

TEMPLATE: dict[str, Any] = {
    "backend": "kind",
    "workers": 0,
    "addons": ["calico", "metrics-server", "metallb", "traefik"],
    "apps": [{"name": "kubia", "expose": [{"nodeport": {"port": 30080}}, {"ingress": {}}]}],
}
VMS: dict[str, Any] = {
    "backend": "libvirt",
    "masters": [{"name": "m.example.org", "address": "192.168.26.21"}],
    "workers": [{"name": "w.example.org"}],
    "network": {"loadbalancers": "192.168.26.40-192.168.26.50", "endpoint": "vip:192.168.26.30"},
    "addons": ["calico"],
}
Make = Callable[..., Class]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write the files of a class and read it back: make(roster=[...], template_data={...}, **keys of the file)."""

    def write(name: str = "cka", *, template_data: dict[str, Any] = TEMPLATE, csv: str = "", **keys: Any) -> Class:
        (tmp_path / "stacks").mkdir(exist_ok=True)
        (tmp_path / "classes").mkdir(exist_ok=True)
        stack = yaml.safe_dump({"config": {"stacklab:lab": template_data}})
        (tmp_path / "stacks" / "Pulumi.student.yaml").write_text(stack)
        if csv:
            (tmp_path / "classes" / "roster.csv").write_text(csv, encoding="utf-8")
            keys.setdefault("roster", "roster.csv")
        file = tmp_path / "classes" / f"{name}.yaml"
        data = {"roster": [{"id": f"s{n:02}"} for n in range(1, 5)], "template": "student", **keys}
        file.write_text(yaml.safe_dump(data, sort_keys=False))
        return load(file, tmp_path / "stacks", KNOWN)

    return write
