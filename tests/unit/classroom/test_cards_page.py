"""What stands on a card: from outputs to HTML, whatever a roster says."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from modules.classroom import card
from modules.classroom.model import Student

INGRESS = {
    "app": "kubia",
    "kind": "ingress",
    "url": "http://s01.kubia.example.com/",
    "command": "curl …",
    "host": "s01.kubia.example.com",
    "address": "10.208.1.200",
    "port": 80,
}
NODEPORT = {**INGRESS, "kind": "nodeport", "url": "http://10.208.1.11:30080/", "host": "m", "address": "10.208.1.11"}
CLUSTERIP = {
    **INGRESS,
    "kind": "clusterip",
    "url": "",
    "command": "kubectl --kubeconfig /home/teacher/.stacklab/labs/x/kubeconfig port-forward service/kubia 8080:80",
}
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</article><!-- card ends -->", "{{ 7*7 }}"]


def made(exposures: list[dict[str, Any]], student: dict[str, Any] | None = None, **more: Any) -> card.Card:
    outputs = {"machines": [{"name": "m", "role": "master", "address": "10.208.1.11"}], "exposures": exposures}
    one = Student.model_validate({"id": "s01", "name": "Ada", "mail": "ada@example.org", **(student or {})})
    settings: dict[str, Any] = {"api": "https://10.208.1.11:6443", "outputs": outputs, "expires": date(2030, 12, 31)}
    return card.card(one, "cka", more.pop("title", "Kubernetes"), "cka-s01", **(settings | more))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> Tags:
    found = Tags()
    found.feed(html)
    return found


def test_everything_is_on_the_page() -> None:
    found = parsed(card.page("t", [card.html(made([NODEPORT, INGRESS]))]))
    for part in (
        *("Ada", "ada@example.org", "Kubernetes", "10.208.1.11", "https://10.208.1.11:6443", "2030-12-31", "cka-s01"),
        *("http://10.208.1.11:30080/", "10.208.1.200 s01.kubia.example.com"),
        *('export KUBECONFIG="$PWD/kubeconfig"', "kubectl get nodes"),
    ):
        assert part in found.text, part
    assert "ssh -F" not in found.text


def test_machines_and_shares_have_other_commands() -> None:
    assert made([], ssh=["m.example.org"]).commands[-1] == "ssh -F ssh_config m.example.org"
    assert "kubectl get pods" in made([], inside="cka-s01").commands
    assert "kubectl get nodes" not in made([], inside="cka-s01").commands


@pytest.mark.parametrize(
    ("exposures", "url"),
    [
        ([NODEPORT, INGRESS], INGRESS["url"]),
        ([CLUSTERIP, NODEPORT], NODEPORT["url"]),
        ([CLUSTERIP], ""),
        ([], ""),
    ],
)
def test_the_picture_leads_to_the_ingress_or_the_first_address(exposures: list[dict[str, Any]], url: str) -> None:
    found = made(exposures)
    assert found.url == url
    html = card.html(found)
    assert html.count("<svg") == bool(url)
    if url:
        assert str(card.qr(url)) in html
        assert card.qr(url) != card.qr(f"{url}x")


def test_the_teachers_paths_are_not_shown() -> None:
    html = card.html(made([CLUSTERIP]))
    assert "kubectl port-forward service/kubia 8080:80" in html
    assert "/home/teacher" not in html


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["name", "group", "title", "output", "url"])
def test_nothing_that_is_written_somewhere_becomes_markup(text: str, place: str) -> None:
    usual = parsed(card.page("t", [card.html(made([NODEPORT], {"group": "g"}))]))
    title = text if place == "title" else "Kubernetes"
    exposure = {**NODEPORT, "app": text} if place == "output" else NODEPORT
    exposure = {**exposure, "url": text} if place == "url" else exposure
    who = {"group": "g"} | ({place: text} if place in ("name", "group") else {})
    html = card.page(title, [card.html(made([exposure], who, title=title))])
    found = parsed(html)
    assert [tag for tag, _ in found.seen] == [tag for tag, _ in usual.seen]
    assert text in found.text
    assert html.count(card.END) == 1


def test_a_card_is_found_in_its_page_again() -> None:
    html = card.html(made([NODEPORT], {"name": f"{card.BEGIN}x{card.END}"}))
    assert card.inner(card.page("t", [html])).strip() == html
    assert card.inner("a file that was cut") == ""


def test_a_page_needs_nothing_from_elsewhere_and_breaks_between_cards() -> None:
    page = card.page("t", [card.html(made([NODEPORT])), card.html(made([INGRESS]))])
    links = [v for _, attrs in parsed(page).seen for k, v in attrs if k in ("src", "href")]
    assert links == []
    assert "@import" not in page
    assert "url(" not in page
    assert page.count("<article>") == 2
    assert re.search(r"article \{[^}]*break-after: page", page)
    assert "default-src 'none'" in page
