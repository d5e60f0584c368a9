"""libvirtd on a host where nobody runs one: started for the labs of this checkout, found again, ended with the last.

It sees folders of ours where its own are (a mount namespace of its own), so nothing under /etc, /var or /run of the
host is changed; its machines are in that namespace too and go on when the daemon ends. On a host with systemd, or where
a daemon answers already, that one is used and nothing is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path

import libvirt

from modules.base import probe, shell
from modules.base.errors import HostError, ProbeTimeoutError
from modules.host.libvirt import place
from modules.host.libvirt.place import SYSTEM, Place
from modules.machines.libvirt import firewall
from modules.machines.libvirt.locks import alone

SYSTEM_URIS = (SYSTEM, "qemu:///system/")
USER = "libvirt-qemu"  # compiled into Debian's; it must have an entry, though nothing runs as this user here
QEMU_CONF = """\
# Machines of labs: as root, without what a host like this does not let root do.
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
stdio_handler = "file"
"""
LIBVIRTD_CONF = """\
# Only root comes in; there is no polkit to ask.
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""
# $1 our folder, $2 our run folder, $3 the daemon's pid file. The words after sh -c are its $0, $1, ...
_SCRIPT = """
mount --bind "$1/etc" /etc/libvirt
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
for part in lib log cache; do mount --bind "$1/$part" "/var/$part"; done
[ ! -e /run/xtables.lock ] || mount --bind /run/xtables.lock "$2/xtables.lock"
mount --rbind "$2" /run
exec libvirtd --daemon --config /etc/libvirt/libvirtd.conf --pid-file "$3"
"""


def resolve(uri: str, *, start: bool) -> str:
    """The URI that reaches the libvirt meant; a daemon of ours stands in for the system's where there is none."""
    if uri not in SYSTEM_URIS:
        return uri
    ours = place.here()
    if not ours.made and (_answers(SYSTEM) or not start):
        return SYSTEM
    if start and not ours.pid():
        _start(ours)
    return ours.uri


def stop_after_last() -> None:
    """End our daemon when no lab uses it any more, and remove everything of it."""
    ours = place.here()
    with alone("libvirt"):
        if any(uri in SYSTEM_URIS for uri in place.labs().values()):
            return
        if not ours.folder.exists() and not ours.run.exists():
            return
        busy = _machines(ours) if ours.pid() else []
        if busy:
            raise HostError(
                f"our libvirt daemon still has machines that no lab of this checkout made: {', '.join(busy)}",
                where=str(ours.socket),
                command=f"virsh -c '{ours.uri}' list --all",
                hint="remove them there, then again",
            )
        _end(ours)
        _tidy_firewall(ours)
        shutil.rmtree(ours.run, ignore_errors=True)
        shutil.rmtree(ours.folder, ignore_errors=True)


def last_words(uri: str) -> str:
    """The end of our daemon's log, when the URI is its."""
    ours = place.here()
    if uri == ours.uri:
        with contextlib.suppress(OSError):
            return ours.log.read_text(errors="replace")[-2000:]
    return ""


def possible() -> str:
    """Why no daemon of ours can be started here; "" when it can."""
    if Path("/run/systemd/system").is_dir():
        return "systemd runs this host: start its own with `systemctl start libvirtd` (or virtqemud.socket)"
    if os.geteuid() != 0:
        return "only root can start libvirtd, and none answers here"
    if not shutil.which("libvirtd"):
        return "libvirtd is not installed: setup/bootstrap"
    return ""


def _start(ours: Place) -> None:
    why_not = possible()
    if why_not:
        raise HostError(f"libvirt does not answer; {why_not}", where=SYSTEM, hint="stacklab doctor")
    with alone("libvirt"):
        if ours.pid():
            return
        _lay_out(ours)
        script: list[str | Path] = ["sh", "-euc", _SCRIPT, "libvirtd", ours.folder, ours.run, ours.pid_name]
        shell.run(
            ["unshare", "--mount", "--propagation", "private", *script],
            timeout=60,
            where="our libvirt daemon",
            hint=f"its log: {ours.log}",
        )


def _lay_out(ours: Place) -> None:
    for name in ("etc", "lib/libvirt", "log/libvirt", "cache/libvirt"):
        (ours.folder / name).mkdir(parents=True, exist_ok=True)
    ours.run.mkdir(parents=True, exist_ok=True)
    ours.folder.chmod(0o700)
    ours.run.chmod(0o700)
    ours.pid_file.unlink(missing_ok=True)
    (ours.run / "xtables.lock").touch()
    note = ours.folder / "firewall.json"
    if not note.exists():  # else the chains of a daemon of ours that was killed would count as somebody else's
        found = [chain for program in firewall.PROGRAMS for chain in firewall.chains(_saved(program), program)]
        note.write_text(json.dumps(found))
    (ours.folder / "passwd").write_text(with_users(Path("/etc/passwd").read_text()))
    (ours.folder / "group").write_text(with_groups(Path("/etc/group").read_text()))
    (ours.folder / "etc" / "libvirtd.conf").write_text(LIBVIRTD_CONF)
    (ours.folder / "etc" / "qemu.conf").write_text(QEMU_CONF)


def with_users(passwd: str) -> str:
    """The list of users with the one that libvirt asks for at its start. Pure."""
    return _with(passwd, USER, "x:64055:64055:libvirt:/var/lib/libvirt:/usr/sbin/nologin")


def with_groups(group: str) -> str:
    """The list of groups with those that libvirt asks for. Pure."""
    return _with(_with(group, USER, "x:64055:"), "kvm", "x:64056:")


def _with(text: str, name: str, rest: str) -> str:
    there = any(line.startswith(f"{name}:") for line in text.splitlines())
    return text if there else f"{text.rstrip()}\n{name}:{rest}\n"


def _answers(uri: str) -> bool:
    libvirt.registerErrorHandler(lambda *_: None, None)
    try:
        libvirt.open(uri).close()
    except libvirt.libvirtError:
        return False
    return True


def _machines(ours: Place) -> list[str]:
    connection = libvirt.open(ours.uri)
    try:
        return sorted(domain.name() for domain in connection.listAllDomains())
    finally:
        connection.close()


def _end(ours: Place) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        pid = ours.pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        process = Path(f"/proc/{pid}")

        def look(process: Path = process) -> probe.Answer[bool]:
            return probe.Answer(None if process.exists() else True, f"{process} is there")

        with contextlib.suppress(ProbeTimeoutError):
            probe.wait_for("our libvirt daemon ends", look, timeout=10, every=0.1)


def _tidy_firewall(ours: Place) -> None:
    try:
        before = tuple(json.loads((ours.folder / "firewall.json").read_text()))
    except (OSError, ValueError):
        return  # nothing is known of what was there before
    for program in firewall.PROGRAMS:
        for call in firewall.removal(_saved(program), program, before):
            shell.run(call, timeout=10, check=False)


def _saved(program: str) -> str:
    if not shutil.which(f"{program}-save"):
        return ""
    return shell.run([f"{program}-save"], timeout=10, check=False).stdout
