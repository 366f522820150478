"""GraphQL: saved operations that the emulator accepts, the schema, and the editor in a browser."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from re import DOTALL, search
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from graphql import build_client_schema, parse, validate
from werkzeug.test import Client

from emulator.mapping import generations, load_definition
from emulator.server.emulator import Emulator
from emulator.workspace import load_workspace
from tests.console.browser_pages import opened
from tests.console.pages import get, page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAVED = [
    "tokenInfo",
    "cdpProfiles",
    "user",
    *(f"{generation}/{action}" for generation in generations() for action in load_definition(generation).actions),
]
API_VERSIONS = ("2024-12", "2025-05", "2026-06")


def document_in(html: str) -> str:
    """What the editor has, as a browser reads it: the first line break is not part of it."""
    found = search(r'<textarea name="document"[^>]*>\n?(.*?)</textarea>', html, DOTALL)
    assert found is not None
    return unescape(found[1])


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_operation_is_answered_without_errors(client: Client, name: str) -> None:
    document = document_in(get(client, f"/console/graphql?saved={name}").text)
    sent = {"query": document}
    answer = client.post("/graphql", json=sent, headers={"authorization": "Bearer sa-local-write"}).json
    # A generation of 2024 writes what the newest API version no longer accepts.
    if "errors" in answer:
        assert any(accepted(document, version) for version in API_VERSIONS), answer
        return
    assert all(not (payload or {}).get("userErrors") for payload in answer["data"].values())


def accepted(document: str, api_version: str) -> bool:
    with Emulator(replace(load_workspace(), api_version=api_version)) as emulator:
        schema = build_client_schema(emulator.client.get("/_emulator/schema").json["data"])
    return not validate(schema, parse(document))


def test_every_saved_operation_is_a_link(client: Client) -> None:
    links = [link.get("href") or "" for link in page(client, "/console/graphql").all("a")]
    assert [parse_qs(urlsplit(link).query)["saved"][0] for link in links if "saved=" in link] == [
        *SAVED[:3],
        *(
            f"{generation}/{action}"
            for generation in reversed(generations())
            for action in load_definition(generation).actions
        ),
    ]


def test_the_schema_is_that_of_introspection_and_leaves_no_request(client: Client) -> None:
    answer = client.get("/_emulator/schema").json
    assert client.get("/_emulator/journal").json["total"] == 0
    query = "{ __schema { types { name fields(includeDeprecated: true) { name } } } }"
    asked = client.post("/graphql", json={"query": query}, headers={"authorization": "Bearer sa-local-write"}).json
    fields = {
        each["name"]: [field["name"] for field in each["fields"] or ()] for each in asked["data"]["__schema"]["types"]
    }
    shown = {
        each["name"]: [field["name"] for field in each["fields"] or ()] for each in answer["data"]["__schema"]["types"]
    }
    assert fields == shown


def test_a_page_has_no_token_and_the_document_of_its_address(client: Client) -> None:
    html = client.get("/console/graphql", query_string={"document": "\n{ <b> }"}, headers={"Accept": "text/html"}).text
    assert document_in(html) == "\n{ <b> }"
    assert "sa-local-write" not in html


def test_the_editor_sends_shows_errors_and_keeps_the_document_in_the_address(browser: Browser) -> None:
    with Emulator() as emulator, opened(browser, emulator, ignore_status=True) as go:
        shown = go("/console/graphql?saved=user")
        document = shown.get_by_label("Document")
        token = shown.get_by_label("Token").input_value()
        document.press("Control+Enter")
        shown.get_by_text("Status 200").wait_for()
        assert '"email"' in shown.locator("#body").inner_text()
        entry = emulator.client.get("/_emulator/journal").json["entries"][-1]
        assert (entry["token"], entry["operations"]) == (token, ["user"])
        document.fill("{ user { emial } }")
        shown.get_by_role("button", name="Prettify").click()
        assert document.input_value() == "{\n  user {\n    emial\n  }\n}"
        shown.get_by_role("button", name="Send").click()
        shown.get_by_text("line 3, column 5").wait_for()
        assert "emial" in shown.url
        document.fill("")
        document.press("Tab")
        shown.get_by_label("Search types and fields").fill("cdpProfiles")
        shown.get_by_role("button", name="cdpProfiles").click()
        assert document.input_value() == "  cdpProfiles(advertiserId: ) {  }"
        document.fill("{ user { email } }")
        shown.get_by_label("Variables").fill("{")
        shown.get_by_role("button", name="Send").click()
        assert "variables are not JSON" in shown.locator("#problem").inner_text()
