"""Machines for tests of what is done over SSH: system containers of the machine image's own root file system.

Each has systemd and sshd, a fixed address on a bridge of the test's own, and root's key; nothing of them is left
afterwards. `plain` ones are bare Debian; the others hold what the machine image holds, images in containerd included.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from modules.artifacts import catalogue, needs, types
from modules.artifacts.images import machine, node, oci, prepare
from modules.artifacts.images.compose import PathOf
from modules.artifacts.images.layer import Entry, File, Folder, Layer, Symlink, from_entries, from_tar
from modules.artifacts.machine import payload, system
from modules.artifacts.needs import Demand
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact
from modules.base import paths, probe
from modules.base.shell import Result, run
from modules.host import engine, facts
from modules.host.engine import Engine
from modules.machines.login import Login

REPOSITORY = "localhost/stacklab/test-machine"
LABEL = "stacklab.test-machines"
COMMAND = (node.ENTRYPOINT, "/sbin/init")

# What systemd must leave alone in a container: this host's devices, kernel settings, network, disks.
MASKED = (
    "systemd-udevd.service", "systemd-udevd-kernel.socket", "systemd-udevd-control.socket",
    "systemd-udev-trigger.service", "systemd-sysctl.service", "systemd-modules-load.service",
    "systemd-random-seed.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount",
    "dev-hugepages.mount", "dev-mqueue.mount", "systemd-remount-fs.service", "systemd-networkd.service",
    "systemd-networkd.socket", "systemd-networkd-wait-online.service", "systemd-network-generator.service",
    "systemd-resolved.service", "systemd-timesyncd.service", "systemd-logind.service", "systemd-firstboot.service",
    "systemd-repart.service", "getty.target",
)  # fmt: skip

# Steps of ours replace files that the engine lays over the image's. So they become plain ones: with what the engine
# wrote at the first start, as they were left at any other.
ENTRYPOINT = """\
#!/bin/sh
set -eu
for file in /etc/hosts /etc/hostname /etc/resolv.conf; do
  if grep -q " $file " /proc/self/mountinfo; then
    cp "$file" /run/held
    umount "$file"
    if [ ! -e /var/lib/started ]; then cat /run/held >"$file"; fi
  fi
done
rm -f /run/held
touch /var/lib/started
mount --make-rshared /
exec "$@"
"""


@dataclass(frozen=True)
class Recipe:
    """What prepare.ensure wants to know; kubernetes is empty for a plain machine."""

    kubernetes: str
    addons: tuple[str, ...]
    store: Store
    on: str = ""

    @cached_property
    def images(self) -> tuple[types.Image, ...]:
        return catalogue.images(self.kubernetes, self.addons) if self.kubernetes else ()

    @property
    def own(self) -> tuple[Artifact, ...]:
        rootfs = catalogue.rootfs("machine")
        if not self.kubernetes:
            return (rootfs,)
        fixed = needs.fixed(Demand(self.kubernetes, "libvirt"), pulumi=False)
        return (rootfs, *(artifact for artifact in fixed if artifact != rootfs))

    def parts(self, image: types.Image) -> tuple[Artifact, ...]:
        return needs.parts(image)

    def reference(self, digests: Mapping[str, str]) -> str:
        code = [Path(__file__).read_text(), node.code(*machine.CODE, "bake.py", "files/bake.sh", "files/entrypoint.sh")]
        text = json.dumps([dict(digests), code, *([machine.texts_of(self._held())] if self.kubernetes else [])])
        kind = "_".join((f"v{self.kubernetes}" if self.kubernetes else "plain", *catalogue.extras(self.addons)))
        return f"{REPOSITORY}:{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def layers(self, path_of: PathOf) -> tuple[Layer, ...]:
        return from_tar(path_of(catalogue.rootfs("machine"))), from_entries(self._entries())

    def _held(self) -> payload.Payload:
        return payload.payload(self.kubernetes, self.store, addons=self.addons)

    def _entries(self) -> list[Entry]:
        mine = {"etc/fstab", "etc/hosts", "etc/hostname", "etc/resolv.conf"}
        held = machine.entries(self._held()) if self.kubernetes else []
        found = [entry for entry in held if entry.path not in mine]
        if not self.kubernetes:
            sshd = "/etc/ssh/sshd_config.d/stacklab.conf"
            found += [File(sshd.strip("/"), system.files()[sshd].encode()), Folder("var/lib/containerd")]
        found += [
            File(node.ENTRYPOINT.strip("/"), node.script("entrypoint.sh").encode(), 0o755),
            File("usr/local/bin/entrypoint", ENTRYPOINT.encode(), 0o755),
            *(File(name, b"") for name in sorted(mine)),
            File("etc/cloud/cloud-init.disabled", b""),
            File("etc/systemd/journald.conf.d/container.conf", b"[Journal]\nReadKMsg=no\n"),
            Folder("kind"),
            Folder("root/.ssh", 0o700),
        ]
        return found + [Symlink(f"etc/systemd/system/{unit}", "/dev/null") for unit in MASKED]


def ensure_image(kubernetes: str, runs: Engine, addons: tuple[str, ...] = ()) -> str:
    """The image of the containers, made once; kubernetes is empty for a plain machine."""
    store = Store(paths.cache())
    recipe = Recipe(kubernetes, addons, store)
    run_as = oci.Run(entrypoint=COMMAND, env=("container=podman", oci.PATH), stop_signal="SIGRTMIN+3")
    form = prepare.Form(recipe, REPOSITORY, recipe.reference, recipe.layers, run_as)
    return prepare.ensure(form, runs, store)


@dataclass(frozen=True)
class Machines:
    """Running containers: name -> address. `folder` holds the client's key, the host keys and known_hosts."""

    addresses: Mapping[str, str]
    network: str
    folder: Path
    runs: Engine
    image: str
    key: Path = field(init=False)
    known_hosts: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.folder / "id_ed25519")
        object.__setattr__(self, "known_hosts", self.folder / "known_hosts")

    def container(self, name: str) -> str:
        return f"{self.network}-{name}"

    def login(self, name: str) -> Login:
        return Login(name, self.addresses[name], self.key, self.known_hosts)

    def execute(self, name: str, script: str, timeout: float = 60, *, check: bool = True) -> Result:
        """A script in the machine, past SSH."""
        return self.runs.run("exec", self.container(name), "sh", "-c", script, timeout=timeout, check=check)

    def ssh(self, name: str, script: str, timeout: float = 60, *, check: bool = True) -> Result:
        """A script in the machine, over SSH."""
        words: list[str | Path] = ["ssh", "-F", "none", "-i", self.key, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
        words += ["-o", f"UserKnownHostsFile={self.known_hosts}", f"root@{self.addresses[name]}", script]
        return run(words, timeout=timeout, check=check, where=name)

    def cut(self, name: str) -> None:
        """The power goes: nothing is told to what runs there."""
        self.runs.run("kill", "--signal=KILL", self.container(name), timeout=60)

    def start(self, name: str) -> None:
        self.runs.run("start", self.container(name), timeout=60)
        self.wait(name)

    def replace(self, name: str) -> None:
        """Another machine stands in its place: the same name and address, nothing on it, another host key."""
        self.runs.run("rm", "--force", "--volumes", "--time=0", self.container(name), timeout=120)
        for key in (name, f"{name}.pub"):
            (self.folder / key).unlink()
        _keys(self)
        _start(self, name)
        self.wait(name)

    def wait(self, name: str, timeout: float = 90) -> None:
        """Until it answers over SSH and has booted."""

        def booted() -> probe.Answer[bool]:
            seen = self.ssh(name, "systemctl is-system-running", 20, check=False)
            state = seen.stdout.strip()
            return probe.Answer(state in ("running", "degraded") or None, state or seen.stderr.strip())

        hint = f"{self.runs.name} exec {self.container(name)} systemctl --failed"
        probe.wait_for("the machine has booted", booted, timeout=timeout, where=name, hint=hint)


@contextlib.contextmanager
def machines(
    addresses: Mapping[str, str],
    folder: Path,
    *,
    network: str = "stacklab-test",
    prefix: int = 24,
    plain: bool = False,
    kubernetes: str = catalogue.NEWEST.version,
    addons: tuple[str, ...] = (),
) -> Iterator[Machines]:
    """Machines by name and address for the time of the `with`; `network` names the bridge and begins their names."""
    runs = engine.choose()
    image = ensure_image("" if plain else kubernetes, runs, addons)
    made = Machines(dict(addresses), network, folder, runs, image)
    _keys(made)
    _clear(made)
    try:
        _network(made, prefix)
        for name in addresses:
            _start(made, name)
        for name in addresses:
            made.wait(name)
        yield made
    finally:
        _clear(made)


def _keys(made: Machines) -> None:
    made.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = []
    for file in (made.key, *(made.folder / name for name in made.addresses)):
        if not file.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", file.name, "-f", file], timeout=20)
        kind, public, *_ = file.with_name(f"{file.name}.pub").read_text().split()
        if file != made.key:
            lines.append(f"{made.addresses[file.name]} {kind} {public}\n")
    made.known_hosts.write_text("".join(lines))


def _network(made: Machines, prefix: int) -> None:
    first = next(iter(made.addresses.values()))
    subnet = ipaddress.ip_network(f"{first}/{prefix}", strict=False)
    words = ["network", "create", f"--subnet={subnet}", f"--gateway={subnet[1]}", f"--label={LABEL}={made.network}"]
    made.runs.run(*words, made.network, timeout=30)


def _start(made: Machines, name: str) -> None:
    here = facts.read()
    modules = facts.node_host(here, made.runs.name).modules_dir
    if modules:
        modules.mkdir(parents=True, exist_ok=True)
    made.runs.run(
        "create",
        f"--name={made.container(name)}",
        f"--hostname={name}",
        f"--label={LABEL}={made.network}",
        f"--network={made.network}",
        f"--ip={made.addresses[name]}",
        f"--mac-address={_mac(made.addresses[name])}",
        "--privileged",
        "--cgroupns=private",
        "--tmpfs=/run",
        "--tmpfs=/tmp",
        "--volume=/var/lib/containerd",
        f"--volume={modules or '/lib/modules'}:/lib/modules:ro",
        made.image,
        timeout=120,
        where=name,
    )
    for file, place in (
        (made.folder / name, "/etc/ssh/ssh_host_ed25519_key"),
        (made.folder / f"{name}.pub", "/etc/ssh/ssh_host_ed25519_key.pub"),
        (made.key.with_name("id_ed25519.pub"), "/root/.ssh/authorized_keys"),
    ):
        made.runs.run("cp", str(file), f"{made.container(name)}:{place}", timeout=60, where=name)
    made.runs.run("start", made.container(name), timeout=60, where=name)


def _mac(address: str) -> str:
    """The same after a restart: neighbours would send to the one before for half a minute."""
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x42, *ipaddress.IPv4Address(address).packed))


def _clear(made: Machines) -> None:
    """Everything of this network's name, also what a killed run left."""
    listed = made.runs.run("ps", "--all", "--quiet", f"--filter=label={LABEL}={made.network}", timeout=60)
    if found := listed.stdout.split():
        made.runs.run("kill", *found, timeout=60, check=False)  # not asked to stop first: that takes ten seconds
        made.runs.run("rm", "--force", "--volumes", *found, timeout=120)
    there = made.runs.run("network", "ls", "--quiet", f"--filter=label={LABEL}={made.network}", timeout=60)
    if there.stdout.split():
        made.runs.run("network", "rm", "--force", made.network, timeout=60)
