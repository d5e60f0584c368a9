"""The provider classes' names are kept in the state of every stack: they never change, and carry nothing along."""

from __future__ import annotations

import pickletools
import pkgutil
from importlib import import_module

import dill  # type: ignore[import-untyped]  # what Pulumi pickles providers with; has no types
import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from modules import resources
from modules.resources.base import Provider

# A name leaves this list only when no release has ever had it.
NAMES = {
    "modules.resources.container_network ContainerNetworkProvider",
    "modules.resources.control_plane ControlPlaneProvider",
    "modules.resources.definitions DefinitionsProvider",
    "modules.resources.etcd_members EtcdMembersProvider",
    "modules.resources.kind_cluster KindClusterProvider",
    "modules.resources.libvirt_acceleration LibvirtAccelerationProvider",
    "modules.resources.libvirt_disk LibvirtDiskProvider",
    "modules.resources.libvirt_domain LibvirtDomainProvider",
    "modules.resources.libvirt_host LibvirtHostProvider",
    "modules.resources.libvirt_image LibvirtImageProvider",
    "modules.resources.libvirt_network LibvirtNetworkProvider",
    "modules.resources.libvirt_seed LibvirtSeedProvider",
    "modules.resources.member MemberProvider",
    "modules.resources.minikube_cluster MinikubeClusterProvider",
    "modules.resources.prepared_machine PreparedMachineProvider",
    "modules.resources.reachable ReachableProvider",
    "modules.resources.ready ReadyProvider",
    "modules.resources.ssh_keys SshKeysProvider",
    "modules.resources.ssh_machines SshMachinesProvider",
}


def providers() -> list[type[ResourceProvider]]:
    for module in pkgutil.iter_modules(resources.__path__):
        import_module(f"{resources.__name__}.{module.name}")
    return sorted(Provider.__subclasses__(), key=lambda one: one.__name__)


def test_names_are_as_in_the_states_of_stacks() -> None:
    assert {f"{one.__module__} {one.__name__}" for one in providers()} == NAMES


@pytest.mark.parametrize("provider", providers())
def test_a_provider_is_kept_as_a_reference_to_its_module(provider: type[ResourceProvider]) -> None:
    words = [arg for _, arg, _ in pickletools.genops(dill.dumps(provider())) if isinstance(arg, str)]
    assert words[:2] == [provider.__module__, provider.__name__]
    assert len(serialize_provider(provider())) < 200, "code or values have been pickled along"
    assert not vars(provider())
    assert not provider.serialize_as_secret_always
