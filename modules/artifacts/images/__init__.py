"""Container images without a registry: root file systems, an image writer, machines' images with all baked in.

sources_list, rootfs  Debian base layers          layer, oci  images as pure data     compose  an image by its recipe
node, minikube        what a machine of theirs consists of    bake     containerd's store filled, once
prepare               the way in, re-exported here
"""

from __future__ import annotations

from modules.artifacts.images.node import extras_of
from modules.artifacts.images.prepare import (
    base_image,
    ensure_base_image,
    ensure_load_balancer_image,
    ensure_node_image,
    node_image,
)

__all__ = [
    "base_image",
    "ensure_base_image",
    "ensure_load_balancer_image",
    "ensure_node_image",
    "extras_of",
    "node_image",
]
