"""Virtual machines on any libvirt, local or remote: one small module for each thing that libvirt has.

names, spec, xml/   what is wanted, as pure values and texts   seed         cloud-init's data as an ISO image
daemon, firewall    libvirtd where nobody runs it               connection   a door to one libvirt, errors in our words
pools, volumes, networks, domains   the objects, each with our mark    acceleration   does KVM really boot a guest?
image, fit          what the machines boot; whether they fit      evidence     why a machine does not answer

Storage goes through pools and streams alone, so everything works the same on another host.
"""
