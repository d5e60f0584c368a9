"""What the tests of the libvirt backend are made from."""

from __future__ import annotations

from modules.host.libvirt.mark import Mark
from modules.machines.libvirt import names
from modules.machines.libvirt.seed import Seed
from modules.machines.libvirt.spec import DirectBoot, DomainSpec, Host, NetworkSpec

OWNER = "0123456789abcdef"
MARK = Mark("cka", OWNER, "/home/me/labs", "aaaabbbbccccdddd")
HOSTS = tuple(
    Host(name, address, names.mac(address))
    for name, address in (("vms21.rhce.cc", "192.168.26.21"), ("vms22.rhce.cc", "192.168.26.22"))
)
NETWORK = NetworkSpec(
    stack="cka",
    name="stacklab-cka",
    bridge="sl-cka",
    range="192.168.26.0/24",
    gateway="192.168.26.1",
    hosts=HOSTS,
)
POOL = "/var/lib/libvirt/images/stacklab"
DIRECT = DirectBoot(f"{POOL}/shared-1.kernel", f"{POOL}/shared-1.initrd", "root=LABEL=root console=ttyS0")
DOMAIN = DomainSpec(
    stack="cka",
    name="stacklab-cka.vms21.rhce.cc",
    uuid="11111111-2222-3333-4444-555555555555",
    cpus=2,
    memory=2 * 1024**3,
    acceleration="tcg",
    network="stacklab-cka",
    mac=names.mac("192.168.26.21"),
    disk=f"{POOL}/disk",
    seed=f"{POOL}/seed",
    console=f"{POOL}/console",
    boot=DIRECT,
)
SEED = Seed(
    machine="vms21.rhce.cc",
    instance="stacklab-cka-vms21.rhce.cc",
    mac=names.mac("192.168.26.21"),
    authorized="ssh-ed25519 AAAAclient stacklab-cka",
    host_key="-----BEGIN OPENSSH PRIVATE KEY-----\nnot a key\n-----END OPENSSH PRIVATE KEY-----\n",
    host_public="ssh-ed25519 AAAAhost vms21.rhce.cc",
)
