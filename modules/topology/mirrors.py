"""Ready-made mirrors by country, and how a stack file's own entries override them: the one table there is. Pure.

`plan` hands the result to everybody: downloads (artifacts.sources), containerd on every machine, kubeadm, minikube.
"""

from __future__ import annotations

from collections.abc import Mapping

from modules.topology.model import Mirrors

KUBERNETES = "registry.k8s.io"

# Public services, as their operators describe them; docs/walls.md says which of them were tried.
COUNTRIES: Mapping[str, Mirrors] = {
    "cn": Mirrors(
        country="cn",
        images="registry.cn-hangzhou.aliyuncs.com/google_containers",
        binaries="https://files.m.daocloud.io",
        registries={
            "docker.io": "https://docker.m.daocloud.io",
            "gcr.io": "https://gcr.m.daocloud.io",
            "ghcr.io": "https://ghcr.m.daocloud.io",
            "quay.io": "https://quay.m.daocloud.io",
            KUBERNETES: "https://k8s.m.daocloud.io",
        },
    ),
}


def effective(written: Mirrors) -> Mirrors:
    """The country's mirrors with each entry of the file in place of the country's own.

    `images` and a registry for registry.k8s.io are two ways to the same images: who names one of them wants that one,
    so the country's other way is left out.
    """
    ready = COUNTRIES.get(written.country)
    if ready is None:
        return written
    registries = dict(ready.registries)
    if written.images:
        registries.pop(KUBERNETES, None)
    return Mirrors(
        country=written.country,
        images=written.images or (None if KUBERNETES in written.registries else ready.images),
        binaries=written.binaries or ready.binaries,
        registries={**registries, **written.registries},
    )
