"""Workspace, Fidelity, Scenarios, Documentation and Reasons, compared with what the API answers."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client

from emulator.console.markdown import to_html
from emulator.console.screens import SCREENS
from emulator.console.view import View
from emulator.harness.documentation import PAGES, headings_of, text_of
from emulator.server.emulator import Emulator
from tests.console.pages import Page, get, page
from tests.console.views import address

SEARCHED = ("fidelity", "scenarios", "documentation", "reasons")
VIEW = View.read("documentation", {}, "http://host:1/")


def links(shown: Page) -> list[str]:
    return [link.get("href") or "" for link in shown.all("a")]


def editor(client: Client, query: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", get(client, f"/console/workspace{query}").text, re.DOTALL)
    assert found
    return unescape(found[1])


# Workspace.


def test_tokens_are_hidden_until_they_are_revealed(client: Client) -> None:
    text = client.get("/_emulator/workspace?format=yaml").text
    assert editor(client, "?reveal=on") == text
    for hidden in ("", "?reveal=on&mask=on"):
        shown = get(client, f"/console/workspace{hidden}").text
        assert "sa-local-write" not in shown
        assert "segment-local" not in shown
        assert page(client, f"/console/workspace{hidden}").all("textarea")[0].get("readonly", "missing") != "missing"


def test_a_large_workspace_is_in_the_editor_as_a_whole(client: Client) -> None:
    audiences = [{"key": f"a{number}", "name": "<b>" + "x" * 200, "id": f"aud_{number}"} for number in range(150)]
    condition = {"trait": "x", "operator": "exists"}
    items = [{**each, "condition": condition} for each in audiences]
    assert client.patch("/_emulator/workspace", json={"audiences": items, "destinations": []}).status_code == 200
    text = client.get("/_emulator/workspace?format=yaml").text
    assert len(text) > 20_000
    assert editor(client, "?reveal=on") == text


@pytest.mark.parametrize("name", ["starter", "default", "empty"])
def test_the_editor_begins_with_a_template(client: Client, name: str) -> None:
    assert editor(client, f"?reveal=on&begin={name}") == client.get(f"/_emulator/workspace/templates/{name}").text


def test_the_editor_begins_with_what_the_server_was_started_with(client: Client) -> None:
    text = client.get("/_emulator/workspace?format=yaml").text
    client.patch("/_emulator/workspace", json={"name": "changed"})
    assert editor(client, "?reveal=on&begin=start") == text


def test_a_setting_of_the_ledger_leads_to_its_line(client: Client) -> None:
    shown = page(client, "/console/workspace?setting=destinations[].subscriptions[].trigger")
    (line,) = [link["data-line"] for link in shown.all("a") if "data-line" in link]
    text = client.get("/_emulator/workspace?format=yaml").text
    assert "trigger:" in text.splitlines()[int(line or 0) - 1]
    assert "its default holds" in page(client, "/console/workspace?setting=space.keepAllEvents").text


def test_a_file_that_was_refused_is_named_with_the_reason() -> None:
    with Emulator() as emulator:
        emulator.sandboxes.watched = ("workspace.yaml", "line 3: <b>wrong</b>")
        assert "line 3: <b>wrong</b>" in page(emulator.client, "/console/workspace").text


# Fidelity.


def test_rows_of_the_ledger_are_paged_and_counted(client: Client) -> None:
    found, path = [], "/console/fidelity?provenance=assumed"
    while path:
        shown = page(client, path)
        found += [row["id"] for row in shown.all("tr") if row.get("id")]
        path = next((link["href"] or "" for link in shown.all("a") if link.get("rel") == "next"), "")
    answer = client.get("/_emulator/fidelity?provenance=assumed").json
    assert found == [row["id"] for row in answer["behaviours"]]
    assert f"{len(found)} of {answer['total']} behaviours" in shown.text


def test_a_row_leads_to_its_setting_and_its_scenarios(client: Client) -> None:
    rows = client.get("/_emulator/fidelity").json["behaviours"]
    row = next(row for row in rows if row["settings"] and row["scenarios"])
    shown = links(page(client, f"/console/fidelity?text={row['id']}"))
    for screen, name, value in (
        ("workspace", "setting", row["settings"][0]),
        ("scenarios", "scenario", row["scenarios"][0]),
    ):
        addresses = [link for link in shown if urlsplit(link).path == f"/console/{screen}"]
        assert value in [parse_qs(urlsplit(link).query).get(name, [""])[0] for link in addresses]


# Scenarios.


def test_a_scenario_shows_its_yaml_its_rows_and_its_matrix(client: Client) -> None:
    name = "generations/generation-by-api-version"
    answer = client.get(f"/_emulator/scenarios/{name}").json
    shown = page(client, f"/console/scenarios?scenario={name}")
    assert all(f"/console/fidelity?text={row}" in links(shown) for row in answer["shows"])
    assert all(cell["generation"] in shown.text for cell in answer["cells"])
    assert answer["text"].splitlines()[-1].strip() in shown.text


def test_scenarios_are_searched(client: Client) -> None:
    answer = client.get("/_emulator/scenarios?text=deletion").json
    shown = page(client, "/console/scenarios?text=deletion")
    assert f"{len(answer['scenarios'])} of {answer['total']} scenarios" in shown.text
    assert all(each["title"] in shown.text for each in answer["scenarios"])


# Documentation.


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_rendered_and_its_links_lead_somewhere(client: Client, name: str) -> None:
    shown = page(client, f"/console/documentation?page={name}")
    ids = {attributes.get("id") for _, attributes in shown.elements}
    assert {heading.anchor for heading in headings_of(name)} <= ids
    codes = {each.get("id") for each in page(client, "/console/reasons").all("dt")}
    for link in links(shown):
        parts = urlsplit(link)
        to = parse_qs(parts.query).get("page", [""])[0]
        if parts.path == "/console/documentation" and to:
            assert to in PAGES, link
            assert not parts.fragment or parts.fragment in {each.anchor for each in headings_of(to)}, link
        elif parts.path == "/console/reasons" and parts.fragment:
            assert parts.fragment in codes, link
        elif not parts.path and parts.fragment:
            assert parts.fragment in ids, link


def test_the_page_about_the_console_leads_to_the_screens(client: Client) -> None:
    named = re.findall(r"^\| ([A-Z][A-Za-z ]*) \|", text_of("console"), re.MULTILINE)
    addresses = {screen.name: address(screen.path) for screen in SCREENS}
    shown = links(page(client, "/console/documentation?page=console"))
    # Once in the navigation, once in the table.
    assert [name for name in named if shown.count(addresses[name]) < 2] == []


def test_results_of_a_search_lead_to_the_heading(client: Client) -> None:
    found = client.get("/_emulator/documentation?text=dead+letters").json["found"]
    shown = page(client, "/console/documentation?text=dead+letters")
    for each in found:
        assert f"/console/documentation?page={each['page']}#{each['anchor']}" in links(shown)
        assert f"line {each['line']}" in shown.text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"),
        ("a <script>x</script>", "<p>a &lt;script&gt;x&lt;/script&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](https://example.com)", "<p>x (https://example.com)</p>\n"),
        ("[x](../README.md)", "<p>x (../README.md)</p>\n"),
        ("![x](https://example.com/a.png)", "<p>!x (https://example.com/a.png)</p>\n"),
        ("[x](ci.md#sandboxes)", '<p><a href="/console/documentation?page=ci#sandboxes">x</a></p>\n'),
        ("[x](#y)", '<p><a href="#y">x</a></p>\n'),
        ("`CODE`", '<p><a href="/r"><code>CODE</code></a></p>\n'),
        ("[`CODE`](#y)", '<p><a href="#y"><code>CODE</code></a></p>\n'),
        ("# A", '<h2 id="a">A</h2>\n'),
    ],
)
def test_markdown_as_html(text: str, html: str) -> None:
    assert to_html(text, VIEW, anchors=["a"], linked={"CODE": "/r"}) == html


# Reasons.


def test_a_reason_has_its_number_and_leads_to_its_list(filled: Client) -> None:
    shown = page(filled, "/console/reasons")
    now = [each for each in filled.get("/_emulator/reasons").json["reasons"] if each["count"]]
    assert now
    for each in now:
        assert f"{each['count']} now" in shown.text
        assert [link for link in links(shown) if f"reason={each['code']}" in link]
    for link in {link for link in links(shown) if "reason=" in link}:
        page(filled, link)


def test_reasons_are_searched(client: Client) -> None:
    found = client.get("/_emulator/reasons?text=email").json["reasons"]
    shown = page(client, "/console/reasons?text=email")
    assert [each.get("id") for each in shown.all("dt")] == [each["code"] for each in found]


# Where a page cannot be shown.


def test_an_unknown_page_names_the_one_that_was_meant(client: Client) -> None:
    for wrong, right in (("profile", "/console/profiles"), ("Workspaces", "/console/workspace")):
        shown = page(client, f"/console/{wrong}", 404)
        assert right in links(shown)
        assert f"/console/{wrong}" in shown.text


def test_an_unknown_sandbox_leads_back_to_the_default_one(client: Client) -> None:
    shown = page(client, "/console/profiles?sandbox=unknown", 404)
    assert "/" in links(shown)
    assert "unknown" in shown.text


def test_a_screen_that_is_refused_can_be_opened_without_what_is_selected(client: Client) -> None:
    assert "/console/scenarios" in links(page(client, "/console/scenarios?scenario=unknown/unknown", 404))


@pytest.mark.parametrize("path", [address(screen.path) for screen in SCREENS if screen.path in SEARCHED])
def test_a_search_is_reached_by_its_key(client: Client, path: str) -> None:
    assert [each for each in page(client, path).all("input") if each.get("id") == "search"]
