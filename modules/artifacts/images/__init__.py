"""Container images without a registry: root file systems, an image writer, and the kind node image with all baked in.

rootfs -> Debian base layers; oci -> images as pure data; recipes -> what is in each image; node -> the kind node image.
"""
