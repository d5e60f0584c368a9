"""minikube's command lines and environment. Pure: the same profile and folders give the same words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from modules.artifacts.machine import registries
from modules.local.kind.spec import Node
from modules.local.minikube.spec import MIB, Profile
from modules.topology.model import Mirrors

KUBELET_SETTINGS = "/etc/stacklab/kubelet.d"  # in our base image: what depends on the host
HA_MASTERS = 3  # what minikube makes with --ha, neither less nor more
RELEASES = "dl.k8s.io/release"  # where minikube would have Kubernetes' programs from


def environment(home: Path, kubeconfig: Path, path: str, bin_folder: Path, engine: Mapping[str, str]) -> dict[str, str]:
    """What every call of minikube must have: nothing of the user's own minikube is read or written."""
    return {
        **engine,
        "MINIKUBE_HOME": str(home),
        "KUBECONFIG": str(kubeconfig),
        "TMPDIR": str(home / "tmp"),
        "PATH": f"{bin_folder}{os.pathsep}{path}",
        "MINIKUBE_IN_STYLE": "false",
        "MINIKUBE_WANTUPDATENOTIFICATION": "false",
        "MINIKUBE_SUPPRESS_DOCKER_PERFORMANCE": "true",
    }


def start(profile: Profile) -> list[str]:
    """Make the profile with all its machines, or bring an existing one to this Kubernetes version and image."""
    cluster = profile.cluster
    most = max(profile.sizes.values(), key=lambda size: (size.memory, size.cpus))
    words = [
        "start",
        f"--profile={profile.name}",
        f"--driver={profile.driver}",
        f"--container-runtime={profile.runtime}",
        f"--kubernetes-version=v{cluster.kubernetes}",
        f"--nodes={made_by_start(profile)}",
        *(["--ha"] if len(cluster.masters) > 1 else []),
        f"--cpus={most.cpus}",
        f"--memory={most.memory // MIB}mb",
        f"--service-cluster-ip-range={cluster.services}",
        f"--extra-config=kubeadm.pod-network-cidr={cluster.pods}",
        f"--extra-config=kube-proxy.mode={cluster.proxy}",
        # The pods' network, storage and all else are addons of the lab's own.
        "--cni=false",
        "--install-addons=false",
        "--wait=none",
        "--embed-certs",
        # minikube warns off root and too small hosts; `stacklab doctor` and the checks before say more.
        "--force",
        "--rootless=false",
        "--interactive=false",
        "--auto-update-drivers=false",
        "--delete-on-failure=false",
    ]
    if profile.driver in ("podman", "docker"):
        words += [f"--network={cluster.network}", f"--base-image={cluster.image}"]
        if profile.own_image:
            # Everything is in the image already.
            words += ["--preload=false", "--cache-images=false"]
            words += [f"--extra-config=kubelet.config-dir={KUBELET_SETTINGS}"]
    return [*words, *_mirrors(profile.mirrors)]


def _mirrors(mirrors: Mirrors) -> list[str]:
    words = []
    if mirrors.images:
        words.append(f"--image-repository={registries.bare(mirrors.images)}")
        # With a country alone minikube would ask the network which repository answers.
        if mirrors.country != "none":
            words.append(f"--image-mirror-country={mirrors.country}")
    if mirrors.binaries:
        words.append(f"--binary-mirror={mirrors.binaries.rstrip('/')}/{RELEASES}")
    hub = mirrors.registries.get("docker.io", "")
    if hub and "/" not in registries.bare(hub):  # minikube takes no path here; containerd reads hosts files anyway
        words.append(f"--registry-mirror={hub if '://' in hub else f'https://{hub}'}")
    return words


def made_by_start(profile: Profile) -> int:
    """How many machines `start` makes: with --ha three masters; more of them come one by one, before workers."""
    masters = len(profile.cluster.masters)
    return HA_MASTERS if masters > HA_MASTERS else len(profile.nodes)


def add_node(profile: Profile, node: Node) -> list[str]:
    """One more machine, under the next free name."""
    role = "--control-plane" if node.role == "master" else "--worker"
    return ["node", "add", role, f"--profile={profile.name}"]


def delete_node(profile: Profile, node: str) -> list[str]:
    """Drain and remove one machine."""
    return ["node", "delete", node, f"--profile={profile.name}"]


def delete(name: str) -> list[str]:
    return ["delete", f"--profile={name}"]
