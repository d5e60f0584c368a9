"""The cards as a PDF, read back by the engine that browsers show PDFs with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from typer.testing import CliRunner, Result

from modules import artifacts, pulumi_home
from modules.base import paths
from modules.base.errors import HostError, StacklabError
from modules.classroom import card, card_pdf, folder
from modules.cli import main as entry
from tests.unit.classroom.cluster_fake import Cluster, admin_file
from tests.unit.classroom.conftest import Make
from tests.unit.classroom.test_cards import SECRET, mode, outputs
from tests.unit.classroom.test_cards_page import CLUSTERIP, INGRESS, NODEPORT, made


def pages(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def printed(*people: dict[str, Any]) -> list[str]:
    cards = [card.html(made([NODEPORT, INGRESS, CLUSTERIP], one)) for one in people]
    data, missing = card_pdf.pdf(card.page("Kubernetes", cards))
    assert missing == ""
    return pages(data)


def test_a_page_a_student_with_name_and_addresses() -> None:
    names = ["Ada Lovelace", "Łukasz Żółć", "Мария Кюри"]
    found = printed(*({"id": f"s{n:02}", "name": name} for n, name in enumerate(names)))
    assert len(found) == len(names)
    for text, name in zip(found, names, strict=True):
        for part in (
            *(name, "ada@example.org", "10.208.1.11", "https://10.208.1.11:6443", "http://10.208.1.11:30080/"),
            *("10.208.1.200 s01.kubia.example.com", 'export KUBECONFIG="$PWD/kubeconfig"', "2030-12-31"),
        ):
            assert part in text, (part, text)
        assert [other for other in names if other in text] == [name]


def test_short_cards_have_a_page_each_as_well() -> None:
    data, _ = card_pdf.pdf(card.page("t", [card.html(made([])), card.html(made([]))]))
    assert len(pages(data)) == 2


def test_the_picture_of_the_address_is_on_it() -> None:
    def dark(exposures: list[dict[str, Any]]) -> int:
        data, _ = card_pdf.pdf(card.page("t", [card.html(made(exposures))]))
        picture = pypdfium2.PdfDocument(data)[0].render(scale=1).to_pil().convert("L")
        corner = picture.crop((picture.width * 2 // 3, 0, picture.width, picture.height // 5))
        return sum(corner.histogram()[:64])

    # Modules of a QR code, against the address below it and nothing.
    assert dark([NODEPORT]) > 2000
    assert dark([CLUSTERIP]) == 0


def test_what_somebody_wrote_is_text_and_fetches_nothing() -> None:
    for evil in (
        '<img src="file:///etc/hostname">',
        '<link rel="attachment" href="file:///etc/hostname">',
        "<style>@import 'http://127.0.0.1:9/x.css';</style>",
    ):
        (text,) = printed({"id": "s01", "name": evil})
        assert "".join(evil.split()) in "".join(text.split())


@pytest.mark.parametrize("place", ["file:///etc/hostname", "http://127.0.0.1:9/x.png", "data:text/css,p{}"])
def test_a_page_that_wants_anything_from_elsewhere_is_an_error(place: str) -> None:
    with pytest.raises(StacklabError, match="what is not in it"):
        card_pdf.pdf(f'<link rel="stylesheet" href="{place}"><p>x</p>')


def test_letters_that_no_font_has_are_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    strange = "\U0001df0a\U0001df0b"  # of 2021, in no font of Debian's here
    data, missing = card_pdf.pdf(f"<p>a{strange}{strange}b</p>")
    assert missing == strange
    assert len(pages(data)) == 1
    assert capfd.readouterr().err == ""


def test_without_pango_it_is_said_before_anything_is_handed_out(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0': cannot open\nmore")

    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    ran = command("--pdf")
    assert isinstance(ran.exception, HostError)
    assert "apt-get install libpango-1.0-0" in str(ran.exception)
    assert not command.cards.exists()
    assert command().exit_code == 1


# -- the command ---------------------------------------------------------------------------------------------------


class Command:
    """`class cards cka`, of a class in which s01 and s02 have a share of a lab and s03 has none."""

    def __init__(self, cards: Path) -> None:
        self.cards = cards

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(entry.build(), ["class", "cards", "cka", *words])


@pytest.fixture
def command(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("STACKLAB_PROJECT", str(tmp_path))
    cluster = Cluster(tmp_path / "fake")
    admin_file(paths.lab("shared") / "kubeconfig")
    for one in ("s01", "s02"):
        paths.lab(f"cka-{one}").mkdir()
    roster = [{"id": "s01", "name": "Ada"}, {"id": "s02"}, {"id": "s03"}]
    made = make(roster=roster, tenancy="namespace", shared={"stack": "shared"})
    monkeypatch.setattr(artifacts, "binary", lambda _: cluster.kubectl)
    monkeypatch.setattr(pulumi_home, "stack_outputs", outputs)
    return Command(folder.of(made.file))


def test_all_cards_are_one_pdf_for_the_owner_only(command: Command) -> None:
    ran = command("--pdf")
    assert ran.exit_code == 1  # s03 has no lab
    file = command.cards / "cards.pdf"
    assert f"2 of 3 cards, to print: {file}" in ran.stdout
    assert mode(file) == 0o600
    data = file.read_bytes()
    first, second = pages(data)
    assert "Ada" in first
    assert "s02" in second
    for text in (first, second):
        assert "http://10.208.1.11:30080/" in text
        assert SECRET not in text
        assert "PRIVATE KEY" not in text
    assert SECRET in (command.cards / "s01" / "kubeconfig").read_text()
    assert json.loads(command("--pdf", "--json").stdout)["pdf"] == str(file)


def test_a_pdf_is_never_behind_the_cards(command: Command) -> None:
    command("--pdf", "--only", "s01")
    assert len(pages((command.cards / "cards.pdf").read_bytes())) == 1
    command("--only", "s02")
    assert not (command.cards / "cards.pdf").exists()
    command("--pdf", "--only", "s02")
    assert len(pages((command.cards / "cards.pdf").read_bytes())) == 2
