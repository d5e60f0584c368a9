"""What the mirrors of a lab are on a machine: containerd's hosts files, second names of Kubernetes' own images. Pure.

The same for kind, minikube and machines that are bootstrapped; which mirrors there are: modules.topology.mirrors.
"""

from __future__ import annotations

from collections.abc import Mapping

from modules.artifacts.machine.texts import REGISTRIES
from modules.topology.mirrors import KUBERNETES

OFFICIAL = {"docker.io": "registry-1.docker.io"}  # where a registry answers that does not under its own name


def hosts(mirrors: Mapping[str, str]) -> dict[str, str]:
    """Path below containerd's folder of registries -> text; a registry itself is asked when its mirror fails."""
    found = {}
    for registry, mirror in sorted(mirrors.items()):
        address = (mirror if "://" in mirror else f"https://{mirror}").rstrip("/")
        scheme, _, rest = address.partition("://")
        host, slash, path = rest.partition("/")
        # A mirror with a path has its repositories below that path.
        server, override = (f"{scheme}://{host}/v2/{path}", "  override_path = true\n") if slash else (address, "")
        found[f"{registry}/hosts.toml"] = (
            f'# Written by stacklab.\nserver = "https://{OFFICIAL.get(registry, registry)}"\n\n'
            f'[host."{server}"]\n  capabilities = ["pull", "resolve"]\n{override}'
        )
    return found


def hosts_files(mirrors: Mapping[str, str]) -> dict[str, str]:
    """The same by the whole path on a machine."""
    return {f"{REGISTRIES}/{path}": text for path, text in hosts(mirrors).items()}


def bare(address: str) -> str:
    """A registry as it stands in the name of an image."""
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")


def second_name(image: str, repository: str) -> str | None:
    """What kubeadm calls one of Kubernetes' own images when it is told of another repository; None for others.

    kubeadm has them all directly below it: registry.k8s.io/coredns/coredns:v1 is <repository>/coredns:v1.
    """
    if not repository or not image.startswith(f"{KUBERNETES}/"):
        return None
    return f"{bare(repository)}/{image.rpartition('/')[2]}"
