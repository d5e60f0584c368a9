"""local-path: the default StorageClass, a folder on the machine that the pod runs on. The module's own manifest."""

from __future__ import annotations

import yaml

from addons.base import Addon, Settings
from modules import artifacts
from modules.manifests import Object, change, parse
from modules.manifests.images import baked
from modules.manifests.patch import container
from modules.topology.plan import LabPlan

NAME = "local-path"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


class LocalPathSettings(Settings):
    """No settings."""


def objects(plan: LabPlan, settings: LocalPathSettings) -> list[Object]:
    def helper(obj: Object) -> None:
        pod = yaml.safe_load(obj["data"]["helperPod.yaml"])
        for each in pod["spec"]["containers"]:
            each["image"] = baked("docker.io/stacklab/helper")
        obj["data"]["helperPod.yaml"] = yaml.safe_dump(pod, sort_keys=False)

    def deployment(obj: Object) -> None:
        container(obj, "local-path-provisioner")["image"] = baked("docker.io/rancher/local-path-provisioner")

    def default(obj: Object) -> None:
        obj["metadata"].setdefault("annotations", {})[DEFAULT_CLASS] = "true"

    found = parse(artifacts.manifest(NAME), source=f"manifest {NAME}")
    found = change(found, "ConfigMap", "local-path-config", helper)
    found = change(found, "Deployment", "local-path-provisioner", deployment)
    return change(found, "StorageClass", NAME, default)


ADDON = Addon(NAME, frozenset({"storage"}), LocalPathSettings, objects)
