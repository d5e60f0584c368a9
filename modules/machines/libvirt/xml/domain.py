"""A machine: virtio for everything, no graphics, no USB; what the lab does not need costs time under emulation."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from modules.host.libvirt import mark
from modules.host.libvirt.mark import Mark
from modules.machines.libvirt.spec import DirectBoot, DomainSpec
from modules.machines.libvirt.xml import add, write

TYPES = {"kvm": "kvm", "tcg": "qemu", "test": "test"}
MIB = 1024**2
# What an emulated machine's kernel is told; docs/decisions/emulated-machines.md has the reason of each word.
EMULATED = (
    "clocksource=tsc tsc=reliable highres=off mitigations=off init_on_alloc=0 hardened_usercopy=off audit=0"
    " systemd.setenv=GOGC=300"
)
# What a processor may have and an emulated one is better without: a fifth level of page tables makes each miss of its
# TLB dearer, a string instruction copies byte by byte, and the guard of users' memory keeps a second TLB.
DEAR = ("la57", "erms", "fsrm", "smap")


def render(spec: DomainSpec, owner: Mark) -> str:
    root = _base(TYPES[spec.acceleration], spec.name, spec.cpus, spec.memory, spec.boot)
    root.insert(1, _text("uuid", spec.uuid))
    root.insert(2, mark.element(owner))
    _processor(root, spec.acceleration, spec.cpus)
    devices = add(root, "devices")
    _disk(devices, spec.disk, "vda", "qcow2")
    _disk(devices, spec.seed, "vdb", "raw", read_only=True)
    interface = add(devices, "interface", attributes={"type": "network"})
    add(interface, "mac", attributes={"address": spec.mac})
    add(interface, "source", attributes={"network": spec.network})
    add(interface, "model", attributes={"type": "virtio"})
    rng = add(devices, "rng", attributes={"model": "virtio"})
    add(rng, "backend", "/dev/urandom", {"model": "random"})
    _plain(devices, spec.console)
    return write(root)


def trial(name: str, console: str, boot: DirectBoot | None, disk: str, disk_format: str) -> str:
    """The least that shows whether a kernel boots under KVM: no network, nothing that could be written to."""
    root = _base("kvm", name, 1, 512 * MIB, boot)
    _processor(root, "kvm", 1)
    devices = add(root, "devices")
    if boot is None:
        _disk(devices, disk, "vda", disk_format, transient=True)
    _plain(devices, console)
    return write(root)


def _base(kind: str, name: str, cpus: int, memory: int, boot: DirectBoot | None) -> Element:
    root = Element("domain", {"type": kind})
    add(root, "name", name)
    add(root, "memory", memory // 1024, {"unit": "KiB"})
    add(root, "vcpu", cpus)
    system = add(root, "os")
    add(system, "type", "hvm")
    if boot:
        add(system, "kernel", boot.kernel)
        add(system, "initrd", boot.initrd)
        add(system, "cmdline", f"{boot.cmdline} {EMULATED}" if kind == TYPES["tcg"] else boot.cmdline)
    else:
        add(system, "boot", attributes={"dev": "hd"})
        add(system, "bios", attributes={"useserial": "yes"})
    features = add(root, "features")
    add(features, "acpi")
    add(features, "apic")
    return root


def _processor(root: Element, acceleration: str, cpus: int) -> None:
    if acceleration == "kvm":
        add(root, "cpu", attributes={"mode": "host-passthrough"})
    elif acceleration == "tcg":
        cpu = add(root, "cpu", attributes={"mode": "maximum"})
        # Processors of one socket wake each other without an interrupt, which leaves the emulator.
        add(cpu, "topology", attributes={"sockets": "1", "cores": str(cpus), "threads": "1"})
        for name in DEAR:
            add(cpu, "feature", attributes={"policy": "disable", "name": name})
    clock = add(root, "clock", attributes={"offset": "utc"})
    add(clock, "timer", attributes={"name": "hpet", "present": "no"})
    add(root, "on_poweroff", "destroy")
    add(root, "on_reboot", "restart")
    add(root, "on_crash", "destroy")


def _disk(
    devices: Element, path: str, device: str, format_: str, *, read_only: bool = False, transient: bool = False
) -> None:
    disk = add(devices, "disk", attributes={"type": "file", "device": "disk"})
    # A lab's disk need not outlive a power failure of its host; etcd waits for no fsync then.
    driver = {"name": "qemu", "type": format_, "cache": "unsafe", "discard": "unmap"}
    add(disk, "driver", attributes=driver)
    add(disk, "source", attributes={"file": path})
    add(disk, "target", attributes={"dev": device, "bus": "virtio"})
    if read_only:
        add(disk, "readonly")
    if transient:
        add(disk, "transient")


def _plain(devices: Element, console: str) -> None:
    # To look at while it runs (virsh console), and kept from the first line on.
    serial = add(devices, "serial", attributes={"type": "pty"})
    add(serial, "log", attributes={"file": console, "append": "on"})
    add(serial, "target", attributes={"port": "0"})
    add(devices, "controller", attributes={"type": "usb", "model": "none"})
    add(devices, "memballoon", attributes={"model": "none"})


def _text(tag: str, text: str) -> Element:
    element = Element(tag)
    element.text = text
    return element
