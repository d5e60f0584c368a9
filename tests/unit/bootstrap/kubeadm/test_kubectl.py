"""When kubectl is asked again: nobody was at the door, or who was there did not know the rules yet."""

from __future__ import annotations

import pytest

from modules.bootstrap.kubeadm.kubectl import transient


@pytest.mark.parametrize(
    ("said", "again"),
    [
        (
            "The connection to the server api.stacklab-ha.internal:6443 was refused - did you specify the right host",
            True,
        ),
        ("Error from server: etcdserver: leader changed", True),
        ('Error from server (Forbidden): nodes "m1" is forbidden: User "kubernetes-admin" cannot get resource', True),
        ("Error from server (ServiceUnavailable): the server is currently unable to handle the request", True),
        ('Error from server (NotFound): nodes "m9" not found', False),
        ("Error from server (Conflict): the object has been modified; please apply your changes to the latest", False),
        ("", False),
    ],
)
def test_transient(said: str, again: bool) -> None:
    assert transient(said) is again
