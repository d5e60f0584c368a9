"""The disk image of a virtual machine: what is in it, its name, one build, nothing left behind.

UPDATE_GOLDEN=1 rewrites the golden files: read the difference.
"""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modules.artifacts import catalogue, needs
from modules.artifacts.images import bake, machine, node
from modules.artifacts.images.layer import File, Folder, HardLink, Symlink
from modules.artifacts.machine import payload, system
from modules.artifacts.needs import Demand
from modules.artifacts.source import Origin
from modules.artifacts.store import Store
from modules.artifacts.types import Artifact, Kind
from modules.base.errors import ArtifactError, CommandError
from modules.base.shell import Result

GOLDEN = Path(__file__).parent / "golden"
VERSION = catalogue.NEWEST.version
LAB = Demand(VERSION, "libvirt", ("flannel",))


def put(store: Store, artifact: Artifact, text: str = "") -> None:
    content = store.room() / "content"
    if artifact.name == "calico-node-filesystem":
        for folder in ("etc", "sbin"):
            (content / folder).mkdir(parents=True)
            (content / folder / "x").write_text(text)
    elif artifact.kind is Kind.TREE:
        parts = [part for image in catalogue.IMAGES.values() for part in image.files.values()]
        for member in {"x", *(part.member for part in parts if part.artifact == artifact)}:
            content.mkdir(exist_ok=True)
            (content / member).write_text(member + text)
    elif artifact.kind is Kind.ROOTFS:
        with tarfile.open(content, "w") as tar:
            for name in ("./boot/vmlinuz-6.1", "./boot/initrd.img-6.1", "./etc/x"):
                data = (name + text).encode()
                header = tarfile.TarInfo(name)
                header.size = len(data)
                tar.addfile(header, io.BytesIO(data))
    else:
        content.write_text(artifact.id + text)
    store.put(artifact, content, Origin("packages", "test", ""))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("STACKLAB_CACHE", str(tmp_path))
    fake = tmp_path / "bin" / "qemu-img"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\n[ "$1" = convert ] && cp "$6" "$7"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    store = Store(tmp_path)
    for artifact in needs.needed(LAB):
        put(store, artifact)
    return store


class FakeEngine:
    """Its containers write the file that ours would."""

    name = "podman"
    binary = "podman"
    env: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.fail = False

    def run(self, *args: str, timeout: float, **kw: Any) -> Result:
        self.calls.append(args)
        if args[0] == "run":
            if self.fail:
                raise CommandError("podman failed", code=1, command="podman run", output="no space left on device")
            [out] = [word for word in args if word.endswith(":/run/stacklab/out")]
            (Path(out.removeprefix("--volume=").rpartition(":")[0]) / "disk.raw").write_text("file system")
        return Result(0, "", "", 0.0)


def _shown(entry: object) -> str:
    match entry:
        case File(path, content, mode, _):
            return f"{mode:o} {path}" + ("" if isinstance(content, Path) else f" ({len(content)} bytes)")
        case Folder(path, mode, _):
            return f"{mode:o} {path}/"
        case Symlink(path, target) | HardLink(path, target):
            return f"{path} -> {target}"
    raise AssertionError(entry)


def test_golden_files_of_a_machine(store: Store) -> None:
    text = "".join(sorted(_shown(entry) + "\n" for entry in machine.entries(payload.payload(VERSION, store))))
    file = GOLDEN / "machine-files.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("path", [*system.files()])
def test_golden_texts_that_only_the_image_has(path: str) -> None:
    file = GOLDEN / f"machine{path.replace('/', '-')}"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(system.files()[path])
    assert system.files()[path] == file.read_text()


def test_the_script_is_shell_and_the_command_runs_it() -> None:
    archives = bake.Archives((Path("/c/own.tar"),), (Path("/c/a.tar"), Path("/c/b.tar")))
    words = machine.command("base:1", "v1-abc", archives, Path("/c/out"))
    script = words[words.index("-c") + 1]
    subprocess.run(["sh", "-n", "-c", script], check=True, timeout=10)
    assert script == node.script("import.sh") + node.script("disk.sh")
    shown = shlex.join([*words[: words.index("-c")], *words[words.index("-c") + 2 :]])
    assert shown == (
        "run --name=stacklab-bake-abc --privileged --network=none --entrypoint=/bin/sh"
        " --volume=stacklab-bake-abc:/run/stacklab/build --volume=/c/out:/run/stacklab/out"
        " --volume=/c/own.tar:/run/stacklab/own/000.tar:ro --volume=/c/a.tar:/run/stacklab/foreign/000.tar:ro"
        " --volume=/c/b.tar:/run/stacklab/foreign/001.tar:ro base:1 disk stacklab"
    )


def test_the_name_changes_with_what_goes_in(store: Store) -> None:
    names = {machine.machine_image(VERSION, store).name}
    put(store, Artifact("kind", "1", Kind.BINARY))
    assert {machine.machine_image(VERSION, store).name} == names
    for artifact in needs.needed(LAB, pulumi=False):
        if artifact.kind is Kind.MANIFEST or artifact.name.startswith("pulumi") or "flannel" in artifact.name:
            continue
        put(store, artifact, "changed")
        before = len(names)
        names.add(machine.machine_image(VERSION, store).name)
        assert len(names) == before + 1, artifact
    assert all(name.startswith(f"v{VERSION}-") for name in names)


def test_what_few_labs_run_makes_an_image_of_its_own(store: Store) -> None:
    plain, flannel = machine.machine_image(VERSION, store), machine.machine_image(VERSION, store, addons=["flannel"])
    assert flannel.name.startswith(f"v{VERSION}_flannel-")
    assert machine.machine_image(VERSION, store, addons=["calico", "metallb"]) == plain


def test_it_is_made_once(store: Store, tmp_path: Path) -> None:
    engine = FakeEngine()
    made = machine.ensure_machine_image(VERSION, engine, store)
    assert made == machine.machine_image(VERSION, store)
    assert made.whole
    assert made.disk.read_text() == "file system"
    assert made.kernel.read_text() == "./boot/vmlinuz-6.1"
    assert made.initrd.read_text() == "./boot/initrd.img-6.1"
    assert made.cmdline.startswith("root=LABEL=stacklab rw ")
    assert sorted(file.name for file in made.disk.parent.iterdir()) == ["disk.qcow2", "initrd", "vmlinuz"]
    assert [call[0] for call in engine.calls] == ["load", "rm", "volume", "run", "rm", "volume", "rmi"]
    assert not (tmp_path / "images" / "work").exists()
    engine.calls.clear()
    assert machine.ensure_machine_image(VERSION, engine, store) == made
    assert engine.calls == []


def test_a_build_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.fail = True
    with pytest.raises(CommandError, match="no space left"):
        machine.ensure_machine_image(VERSION, engine, store)
    assert [call[0] for call in engine.calls][-3:] == ["rm", "volume", "rmi"]
    assert not machine.machine_image(VERSION, store).whole
    assert not (tmp_path / "images" / "work").exists()


def test_earlier_builds_of_the_same_version_go_and_others_stay(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "images" / "machines"
    names = [f"v{VERSION}-000000000000", f"v{VERSION}_flannel-000000000000", "v1.0.0-000000000000"]
    for name in names:
        (folder / name).mkdir(parents=True)
    made = machine.ensure_machine_image(VERSION, FakeEngine(), store)
    assert {each.name for each in folder.iterdir()} == {made.name, *names[1:]}


def test_without_qemu_img_it_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArtifactError, match="qemu-img is not installed") as error:
        machine.ensure_machine_image(VERSION, FakeEngine(), store)
    assert "qemu-utils" in error.value.hint


def test_a_root_file_system_without_a_kernel_is_refused(store: Store) -> None:
    rootfs = catalogue.rootfs("machine")
    content = store.room() / "content"
    with tarfile.open(content, "w"):
        pass
    store.put(rootfs, content, Origin("packages", "test", ""))
    with pytest.raises(ArtifactError, match="no vmlinuz and no initrd in /boot"):
        machine.ensure_machine_image(VERSION, FakeEngine(), store)
