"""The provider classes' names are kept in the state of every stack: they never change, and carry nothing along."""

from __future__ import annotations

import pickletools

import dill  # type: ignore[import-untyped]  # what Pulumi pickles providers with; has no types
import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from modules.resources.address import AddressProvider
from modules.resources.container_network import ContainerNetworkProvider
from modules.resources.kind_cluster import KindClusterProvider

NAMES = {
    AddressProvider: "modules.resources.address AddressProvider",
    ContainerNetworkProvider: "modules.resources.container_network ContainerNetworkProvider",
    KindClusterProvider: "modules.resources.kind_cluster KindClusterProvider",
}


@pytest.mark.parametrize(("provider", "name"), NAMES.items())
def test_a_provider_is_kept_as_a_reference_to_its_module(provider: type[ResourceProvider], name: str) -> None:
    words = [arg for _, arg, _ in pickletools.genops(dill.dumps(provider())) if isinstance(arg, str)]
    assert " ".join(words[:2]) == name
    assert len(serialize_provider(provider())) < 200, "code or values have been pickled along"
    assert not vars(provider())
    assert not provider.serialize_as_secret_always
