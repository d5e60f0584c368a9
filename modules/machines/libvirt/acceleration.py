"""Does KVM really boot a guest on that host? Only a kernel that was seen running is believed; the answer is kept.

libvirt says yes wherever /dev/kvm exists, and on some clouds a guest then hangs. So a machine without disk or network
is started for a moment, through libvirt itself: the same way works for every URI. It ends with our connection.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, Literal
from xml.etree import ElementTree

import libvirt

from modules.base import probe
from modules.base.errors import HostError, ProbeTimeoutError, StacklabError
from modules.host import kvm
from modules.machines.libvirt import names, volumes
from modules.machines.libvirt.connection import unless
from modules.machines.libvirt.spec import DirectBoot
from modules.machines.libvirt.xml import domain as xml

Wanted = Literal["auto", "kvm", "tcg"]
Found = Literal["kvm", "tcg"]
PATIENCE = 12.0
EMULATED = "machines are emulated (TCG), which is several times slower; docs/libvirt.md says what helps"
# Our kernel has unpacked its first files and starts them; or, behind a boot loader, prints with its own clock.
_SIGNS = {True: re.compile(r"as init process|Run /init"), False: re.compile(r"\[ +\d+\.\d{6}\] ")}
CMDLINE = "console=ttyS0 loglevel=7 panic=-1"


def find_out(
    connection: Any,
    uri: str,
    pool: Any,
    wanted: Wanted,
    *,
    boot: DirectBoot | None,
    disk: str,
    disk_format: str,
    cluster: str,
    owner: str,
    tell: Callable[[str], None],
) -> Found:
    """What the machines of a lab get. disk is only started from when there is no kernel to boot directly."""
    if wanted == "tcg":
        return "tcg"
    key = host_key(connection)
    known = kvm.remembered(uri, key) if wanted == "auto" else None
    # For the answer to this question libvirt starts every QEMU there is: seconds, when it is a fresh daemon.
    if known is None and not offers_kvm(connection.getCapabilities()):
        if wanted == "kvm":
            raise HostError(
                "KVM is asked for and this host does not offer it",
                where=uri,
                command=f"virsh -c '{uri}' domcapabilities --virttype kvm",
                hint="set libvirt.acceleration to auto in the stack file",
            )
        tell(f"{uri} offers no KVM: {EMULATED}")
        return "tcg"
    if wanted == "kvm":
        return "kvm"
    if known is None:
        known = _try(connection, pool, boot, disk, disk_format, cluster, owner)
        kvm.remember(key, booted=known, uri=uri)
    if not known:
        tell(f"{uri} offers KVM, but a kernel that was started under it did not boot: {EMULATED}")
    return "kvm" if known else "tcg"


def offers_kvm(capabilities: str) -> bool:
    """Whether libvirt can start machines of its host's own kind under KVM. Pure."""
    root = ElementTree.fromstring(capabilities)  # noqa: S314  # libvirt's own
    host = root.findtext("host/cpu/arch") or ""
    return any(
        arch.get("name") == host and any(domain.get("type") == "kvm" for domain in arch.iterfind("domain"))
        for arch in root.iterfind("guest/arch")
    )


def host_key(connection: Any) -> str:
    """What an answer holds for: this kernel on this host; another qemu or libvirt elsewhere."""
    if "+" not in connection.getURI().split(":")[0]:
        import platform

        return platform.release()
    return f"{connection.getHostname()} libvirt {connection.getLibVersion()} qemu {connection.getVersion()}"


def _try(
    connection: Any, pool: Any, boot: DirectBoot | None, disk: str, disk_format: str, cluster: str, owner: str
) -> bool:
    name = f"{cluster}.kvm-trial-{secrets.token_hex(3)}"
    log = names.volume(cluster, owner, name, "log")
    console = volumes.write(connection, pool, log, b"\n")
    direct = DirectBoot(boot.kernel, boot.initrd, CMDLINE) if boot else None
    sign = _SIGNS[boot is not None]
    domain = None
    try:
        try:
            domain = connection.createXML(
                xml.trial(name, console, direct, disk, disk_format), libvirt.VIR_DOMAIN_START_AUTODESTROY
            )
        except libvirt.libvirtError:
            return False

        def look() -> probe.Answer[bool]:
            text = volumes.read_end(connection, pool, log)
            return probe.Answer(True if sign.search(text) else None, text)

        probe.wait_for("a kernel boots under KVM", look, timeout=PATIENCE)
        return True
    except (ProbeTimeoutError, StacklabError):
        return False
    finally:
        if domain is not None:
            with unless(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
                domain.destroy()
        volumes.remove(pool, log)
