"""The machines of a lab on libvirt as a graph: everything that does not need another thing is made at the same time.

host -> image volumes -> acceleration ----.
     -> network ---------------------------> domain -> reachable
keys -> seeds, images -> disks ------------'
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pulumi

from modules.machines import keys as ssh
from modules.machines.libvirt import image
from modules.machines.libvirt.image import Image
from modules.resources.libvirt_acceleration import LibvirtAcceleration
from modules.resources.libvirt_disk import LibvirtDisk
from modules.resources.libvirt_domain import LibvirtDomain
from modules.resources.libvirt_host import LibvirtHost
from modules.resources.libvirt_image import LibvirtImage
from modules.resources.libvirt_network import LibvirtNetwork
from modules.resources.libvirt_seed import LibvirtSeed
from modules.resources.reachable import Reachable
from modules.resources.ssh_keys import SshKeys
from modules.topology.plan import LabPlan


def make(plan: LabPlan, keys: SshKeys, boots: Image | None = None) -> Mapping[str, Reachable]:
    """Every machine of the plan by its name, once it can be used. boots: another image than the plan's."""
    boots = boots or image.of(plan)
    host = LibvirtHost(f"{plan.cluster}-libvirt", plan)
    network = LibvirtNetwork(plan.network.name, plan, uri=host.uri)
    volumes = {
        role: LibvirtImage(f"{plan.cluster}-{role}", plan, uri=host.uri, role=role, boots=boots) for role in boots.files
    }
    base = volumes["base"].name
    kernel: pulumi.Input[str] = volumes["kernel"].name if "kernel" in volumes else ""
    initrd: pulumi.Input[str] = volumes["initrd"].name if "initrd" in volumes else ""
    acceleration = LibvirtAcceleration(
        f"{plan.cluster}-acceleration", plan, uri=host.uri, base=base, kernel=kernel, initrd=initrd
    )
    files = ssh.of(plan.stack)
    found: dict[str, Reachable] = {}
    for machine in plan.machines:
        disk = LibvirtDisk(f"{machine.name}-disk", plan, machine, uri=host.uri, base=base)
        seed = LibvirtSeed(
            f"{machine.name}-seed",
            plan,
            machine,
            uri=host.uri,
            authorized=keys.public_key,
            host_public=keys.host_keys.apply(partial(_of, machine.name)),
            host_key_file=files.host_key(machine.name),
        )
        domain = LibvirtDomain(
            machine.name,
            plan,
            machine,
            uri=host.uri,
            network=network.name,
            disk=disk.volume,
            generation=disk.generation,
            seed=seed.volume,
            acceleration=acceleration.found,
            kernel=kernel,
            initrd=initrd,
            cmdline=boots.cmdline,
        )
        found[machine.name] = Reachable(
            f"{machine.name}-ssh",
            plan,
            machine,
            ssh.login(plan, machine),
            uri=host.uri,
            domain=domain.name,
            network=network.name,
            console=domain.console,
            generation=domain.generation,
            started=domain.started,
            disk_size=domain.disk_size,
            acceleration=acceleration.found,
        )
    return found


def _of(machine: str, public: Mapping[str, str]) -> str:
    # A preview of a new machine knows the keys of the others only.
    return public.get(machine, "")
