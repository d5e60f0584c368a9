"""Which upgrades kubeadm can do, and the words for those that it cannot."""

from __future__ import annotations

import pytest

from modules.bootstrap.kubeadm import upgrade, versions
from tests.unit.bootstrap.kubeadm.cases import cluster


@pytest.mark.parametrize(
    ("now", "wanted", "why"),
    [
        ("1.35.4", "1.35.4", ""),
        ("1.35.4", "1.35.9", ""),
        ("1.35.4", "1.36.3", ""),
        ("1.35.4", "1.37.0", "more than one minor version: kubeadm upgrades one at a time; 1.36 first"),
        ("1.36.3", "1.35.4", "cannot go back from 1.36.3 to 1.35.4"),
        ("1.36.3", "1.36.1", "cannot go back"),
        ("1.9.0", "1.10.0", ""),
        ("1.36.3", "2.0.0", "more than one minor"),
    ],
)
def test_refusal(now: str, wanted: str, why: str) -> None:
    found = versions.refusal(now, wanted)
    assert why in found
    assert bool(found) == bool(why)


def test_the_images_of_the_new_version_come_with_it() -> None:
    stored = {
        "kubernetesVersion": "v1.35.4",
        "dns": {"imageTag": "v1"},
        "etcd": {"local": {"imageTag": "1", "dataDir": "/d"}},
    }
    found = upgrade.with_tags(stored, cluster())
    assert found["dns"] == {"imageTag": "v1.14.7"}
    assert found["etcd"] == {"local": {"imageTag": "3.6.16-0", "dataDir": "/d"}}
    assert found["kubernetesVersion"] == "v1.35.4", "that is kubeadm's to change"
    outside = {"etcd": {"external": {"endpoints": ["e"]}}}
    assert upgrade.with_tags(outside, cluster())["etcd"] == outside["etcd"]
