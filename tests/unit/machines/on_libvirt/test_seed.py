"""cloud-init's data: golden text, and an image that says the same."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pycdlib
import yaml

from modules.machines.libvirt import seed
from tests.unit.machines.on_libvirt.cases import SEED

GOLDEN = Path(__file__).parent / "golden" / "seed.txt"


def test_files_are_the_golden_ones() -> None:
    text = "".join(f"==> {name}\n{content}" for name, content in seed.files(SEED).items())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_image_holds_the_files_under_the_label_that_cloud_init_looks_for() -> None:
    image = pycdlib.PyCdlib()
    image.open_fp(io.BytesIO(seed.iso(SEED)))
    assert image.pvd.volume_identifier.decode().strip() == "cidata"
    for name, content in seed.files(SEED).items():
        for path in ({"rr_path": f"/{name}"}, {"joliet_path": f"/{name}"}):
            out = io.BytesIO()
            image.get_file_from_iso_fp(out, **path)
            assert out.getvalue().decode() == content
    image.close()


def test_user_data_is_what_cloud_init_reads() -> None:
    text = seed.files(SEED)["user-data"]
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    assert data["ssh_keys"]["ed25519_private"] == SEED.host_key
    assert data["users"][0]["ssh_authorized_keys"] == [SEED.authorized]
    assert data["fqdn"] == "vms21.rhce.cc"
