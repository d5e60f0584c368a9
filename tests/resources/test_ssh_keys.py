"""The SSH keys of a lab as a resource: made, kept, restored from the state, removed with the connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modules.machines import keys
from modules.resources.ssh_keys import SshKeysProvider

provider = SshKeysProvider()
PROPS: dict[str, Any] = {
    "stack": "cka",
    "machines": [{"name": "vms21.rhce.cc", "address": "192.168.26.21"}, {"name": "w", "address": "192.168.26.22"}],
    "__provider": "pickled",
}


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))


def made() -> dict[str, Any]:
    return dict(provider.create(PROPS).outs or {})


def test_create_makes_files_and_tells_what_others_need() -> None:
    outs = made()
    files = keys.of("cka")
    assert outs["public_key"].startswith("ssh-ed25519 ")
    assert set(outs["host_keys"]) == {"vms21.rhce.cc", "w"}
    assert set(outs["private"]) == {"id_ed25519", "hosts/vms21.rhce.cc", "hosts/w"}
    assert outs["private"]["id_ed25519"] == files.key.read_text()
    assert not any("PRIVATE" in str(outs[key]) for key in ("public_key", "host_keys", "machines"))


def test_create_again_keeps_the_keys() -> None:
    assert made() == made()


def test_nothing_changed_is_no_change() -> None:
    assert not provider.diff("id", {**made(), "__provider": "old"}, PROPS).changes


def test_files_that_went_away_come_back_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    outs = made()
    keys.remove("cka")
    assert provider.diff("id", outs, PROPS).changes
    assert "missing" in capsys.readouterr().err
    assert provider.update("id", outs, PROPS).outs == outs
    keys.remove("cka")
    assert provider.read("id", outs).outs == outs


def test_a_machine_more_is_an_update() -> None:
    outs = made()
    more = {**PROPS, "machines": [*PROPS["machines"], {"name": "new", "address": "192.168.26.30"}]}
    diff = provider.diff("id", outs, more)
    assert (diff.changes, diff.replaces) == (True, [])
    after = dict(provider.update("id", outs, more).outs or {})
    assert after["public_key"] == outs["public_key"]
    assert after["host_keys"]["w"] == outs["host_keys"]["w"]
    assert "new" in after["host_keys"]


def test_delete_leaves_nothing_and_can_run_again(tmp_path: Path) -> None:
    outs = made()
    for _ in range(2):
        provider.delete("id", outs)
    assert not list((tmp_path / ".stacklab" / "labs").glob("*"))
