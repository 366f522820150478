"""The page *Coverage*: the numbers of `GET /_emulator/coverage`, and a link from each item to where it is defined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from werkzeug.test import Client

from emulator.harness.coverage import GROUPS
from emulator.server.emulator import Emulator
from emulator.workspace import load_workspace, parse_workspace
from emulator.workspace_document import document_of
from tests.console.pages import HOSTILE, Page, get, page

PATH = "/console/coverage"
NAMES = [group.name for group in GROUPS]
UPSERT = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",
    profiles: "[{\\"email\\": \\"b@example.com\\", \\"plan\\": 1}]"}) { clientMutationId } }"""
_CELL = re.compile(r"<td[^>]*>(?:<a href=\"([^\"]*)\"[^>]*>)?([^<]*)(?:</a>)?</td>")


def rows(text: str) -> Iterator[list[tuple[str, str]]]:
    """The link and the text of each cell, row by row."""
    for row in re.findall(r"<tr[^>]*>(<td.*?)</tr>", text, re.DOTALL):
        yield [(unescape(link), unescape(shown)) for link, shown in _CELL.findall(row)]


@pytest.fixture
def used(filled: Client) -> Client:
    """Also by a client of its own, which reads too little."""
    for document in ("{ advertisers(first: 1) { nodes { id } } }", UPSERT):
        headers = {"authorization": "Bearer sa-local-write"}
        assert filled.post("/graphql", json={"query": document}, headers=headers).status_code == 200
    filled.post("/_emulator/clock/advance", json={"hours": 5})
    return filled


def groups_of(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/_emulator/coverage").json["groups"]
    return found


def test_the_numbers_are_those_of_the_control_api(used: Client) -> None:
    shown = [[text for _, text in row] for row in rows(get(used, PATH).text)][: len(NAMES)]
    assert shown == [
        [
            group["title"],
            str(group["covered"]),
            str(group["total"] - group["covered"]),
            f"{group['percent']} %",
            "yes" if group["inTotal"] else "no",
        ]
        for group in groups_of(used).values()
    ]


def items_shown(client: Client, query: str) -> list[tuple[str, str]]:
    """The link and the name of each item, of all pages of one kind."""
    found, path = [], f"{PATH}?{query}"
    while path:
        response = get(client, path)
        found += [row[1] for row in rows(response.text) if len(row) == 2]
        path = next((link["href"] or "" for link in Page(response.text).all("a") if link.get("rel") == "next"), "")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_item_is_on_one_of_two_lists_with_a_link_to_where_it_is_defined(used: Client, name: str) -> None:
    items = [pair for section in groups_of(used)[name]["sections"] for pair in section["items"].items()]
    links = {}
    for query, covered in ((f"group={name}", False), (f"group={name}&covered=on", True)):
        shown = items_shown(used, query)
        assert [item for _, item in shown] == [item for item, is_covered in items if is_covered == covered]
        links |= dict(shown)
    assert links
    # Pages that differ in what they select are asked for one of it.
    for link in {link.partition("?")[0]: link for link in links}.values():
        path, _, anchor = link.partition("#")
        defined = page(used, path)
        assert not anchor or anchor in [attributes.get("id") for _, attributes in defined.elements], link
        assert name != "ledger" or links[link] in defined.text


def test_only_what_never_was_is_shown_of_all_kinds_in_the_total(used: Client) -> None:
    text = get(used, PATH).text
    captions = re.findall(r"<h2>([^<]*)</h2>", text)[1:]
    in_total = [group for group in groups_of(used).values() if group["inTotal"]]
    never = [group["total"] - group["covered"] for group in in_total]
    wanted = [f"{group['title']}, {group['missing']} ({n})" for group, n in zip(in_total, never, strict=True)]
    assert [caption for caption in captions if caption.startswith(wanted[0][:10]) or caption in wanted] == wanted
    more = [link["href"] for link in Page(text).all("a") if link.get("rel") == "next"]
    assert more == [f"{PATH}?group={name}&from=10" for name, n in zip(NAMES, never, strict=False) if n > 10]


def test_a_mapping_is_found_by_its_names_whatever_they_are() -> None:
    document = document_of(load_workspace())
    [destination] = document["destinations"]
    destination["name"], destination["subscriptions"][0]["name"] = "A / B", HOSTILE[0][:80]
    with Emulator(parse_workspace(document)) as emulator:
        [(link, _), *_] = items_shown(emulator.client, "group=triggers")
        assert HOSTILE[0][:80] in page(emulator.client, link.partition("#")[0]).text


def test_an_unknown_kind_is_named_with_those_there_are(client: Client) -> None:
    shown = page(client, f"{PATH}?group=trigger", 404).text
    assert "unknown kind of item" in shown
    assert "triggers" in shown
