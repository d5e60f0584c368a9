"""A class in one lab that all students share, as tests write it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import yaml

from tests.support.project import Project

SHARED = "e2e-shared"
APP: dict[str, Any] = {"name": "kubia", "expose": [{"clusterip": {}}, {"ingress": {"host": "kubia.example.com"}}]}
LAB: dict[str, Any] = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico", "metallb", "traefik", "local-path"],
    "apps": [APP],
}

OWN: dict[str, Any] = {
    "backend": "kind",
    "masters": 1,
    "workers": 0,
    "addons": ["calico", "metrics-server"],
    "apps": [{"name": "kubia", "expose": [{"nodeport": {"port": 30080}}]}],
}
"""What each student of a small class has of their own."""


def write(project: Project, name: str, students: Sequence[str], **keys: Any) -> None:
    """The only class of this project; keys: what the class file says besides, or otherwise."""
    folder = project.folder / "classes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    template = {**LAB, "addons": ["calico", "metallb", "traefik"]}
    (folder / "template.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": template}}))
    share = {"stack": SHARED, "cpu": "500m", "memory": "256MiB", "storage": "1GiB", "pods": 6}
    data = {
        "roster": [{"id": one} for one in students],
        "template": "template.yaml",
        "tenancy": "namespace",
        "shared": share,
        **keys,
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(data))
