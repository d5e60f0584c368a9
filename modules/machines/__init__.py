"""Machines that are more than containers of this host: VMs by libvirt, and whatever answers SSH.

login, remote   one machine over SSH: run, read, write, upload as root     keys      the lab's own SSH keys and files
libvirt/        networks, volumes, seeds and domains on any libvirt URI
"""
