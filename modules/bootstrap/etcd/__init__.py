"""An etcd of its own on named machines, in front of masters that have none: own CA, TLS everywhere, a systemd unit.

A unit and not a static pod: the member must run before there is a cluster, also on a machine that later joins it as a
worker, whose kubelet and its folder of static pods kubeadm then wants for itself.

config    configuration, unit, certificate requests (pure)    members    making, finding, replacing members
snapshot  backup and restore, of this etcd and of the one on the masters
"""

from __future__ import annotations

from modules.bootstrap.etcd.config import undo

__all__ = ["undo"]
