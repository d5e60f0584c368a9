"""Students' stack files: owned, kept, hidden from Git. Real files in a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from modules.base.errors import OwnershipError
from modules.classroom import stack_files

LAB = {"stacklab:lab": {"backend": "kind"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dev.yaml").write_text("config: {}\n")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path / "stacks"


def seen(folder: Path) -> list[str]:
    shown = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return shown.stdout.splitlines()


def test_git_sees_nothing_of_them(folder: Path) -> None:
    stack_files.hide(folder, ["cka-s01", "cka-s02"])
    for one in ("s01", "s02"):
        stack_files.write(folder, f"cka-{one}", "cka", one, LAB)
    assert seen(folder) == []
    (folder / "Pulumi.cka-mine.yaml").write_text("a user's own\n")
    assert seen(folder) == ["?? stacks/Pulumi.cka-mine.yaml"]
    (folder / "Pulumi.cka-mine.yaml").unlink()
    stack_files.remove(folder, "cka-s01", "cka")
    stack_files.hide(folder, (), ["cka-s01"])
    assert (folder / "Pulumi.cka-s02.yaml").exists()
    stack_files.remove(folder, "cka-s02", "cka")
    stack_files.hide(folder, (), ["cka-s02"])
    assert [path.name for path in folder.iterdir()] == ["Pulumi.dev.yaml"]
    assert seen(folder) == []


def test_an_ignore_file_of_the_users_keeps_its_lines(folder: Path) -> None:
    (folder / ".gitignore").write_text("*.orig\n")
    stack_files.hide(folder, ["cka-s01"])
    assert (folder / ".gitignore").read_text() == "*.orig\n/Pulumi.cka-s01.yaml\n"
    stack_files.hide(folder, (), ["cka-s01"])
    assert (folder / ".gitignore").read_text() == "*.orig\n"


def test_what_pulumi_keeps_in_the_file_stays(folder: Path) -> None:
    stack_files.write(folder, "cka-s01", "cka", "s01", LAB)
    path = stack_files.file_of(folder, "cka-s01")
    data = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({"encryptionsalt": "v1:x", **data}))
    stack_files.write(folder, "cka-s01", "cka", "s01", {"stacklab:lab": {"backend": "minikube"}})
    after = yaml.safe_load(path.read_text())
    assert after["encryptionsalt"] == "v1:x"
    assert after["config"]["stacklab:lab"] == {"backend": "minikube"}
    assert after["config"][stack_files.OWNER] == {"class": "cka", "id": "s01"}


@pytest.mark.parametrize(
    "text", ["config: {}\n", "config: {'stacklab:student': {class: other, id: s01}}\n", "[]\n", ""]
)
def test_a_file_of_somebody_else_is_left_alone(folder: Path, text: str) -> None:
    path = stack_files.file_of(folder, "cka-s01")
    path.write_text(text)
    with pytest.raises(OwnershipError):
        stack_files.write(folder, "cka-s01", "cka", "s01", LAB)
    with pytest.raises(OwnershipError):
        stack_files.remove(folder, "cka-s01", "cka")
    assert path.read_text() == text


def test_removing_what_is_not_there_is_fine(folder: Path) -> None:
    stack_files.remove(folder, "cka-s01", "cka")
    stack_files.hide(folder, (), ["cka-s01"])
    assert not (folder / ".gitignore").exists()


def test_what_pulumi_wrote_for_another_teachers_stack_goes_with_it(folder: Path) -> None:
    path = folder / "Pulumi.cka-s07.yaml"
    path.write_text("encryptionsalt: v1:abc\n")
    stack_files.remove(folder, "cka-s07", "cka")
    assert not path.exists()
    path.write_text("encryptionsalt: v1:abc\nconfig:\n  stacklab:lab: {backend: kind}\n")
    with pytest.raises(OwnershipError):
        stack_files.remove(folder, "cka-s07", "cka")
    assert path.exists()
