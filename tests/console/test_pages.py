"""The pages as HTML: structure, escaping, headers, and what they show of the control API."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from werkzeug.test import Client

from emulator.artefacts import contract_text
from emulator.console.actions import EVERYWHERE
from emulator.console.screens import ACTIONS, SCREENS
from emulator.console.tables import Row, rows_of
from emulator.console.view import View
from emulator.server.emulator import Emulator
from tests.console.pages import BROWSER, EMAIL, HOSTILE, Page, get, page, send
from tests.console.views import VIEWS, address


@pytest.mark.parametrize("path", VIEWS)
def test_a_page_has_no_script_or_style_of_its_own(filled: Client, path: str) -> None:
    response = get(filled, path)
    policy = response.headers["Content-Security-Policy"]
    assert all(each in policy for each in ("default-src 'self'", "img-src 'self' data:", "frame-ancestors 'none'"))
    assert "unsafe" not in policy
    shown = Page(response.text)
    scripts = [script.get("src") or "" for script in shown.all("script")]
    assert scripts[0] == "/console/static/console.js"
    assert all(script.startswith("/console/static/") for script in scripts)
    assert not shown.all("style")
    for _, attributes in shown.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for link in (attributes.get("href"), attributes.get("src"), attributes.get("action")):
            assert link is None or link.startswith(("/", "#", "data:,"))


@pytest.mark.parametrize("path", [address(screen.path) for screen in SCREENS])
def test_every_page_has_visible_links_to_all_screens(client: Client, path: str) -> None:
    shown = page(client, path)
    links = {link.get("href") for link in shown.all("a")}
    assert links >= {address(screen.path) for screen in SCREENS if not screen.under}
    assert all(screen.name in shown.text for screen in SCREENS if not screen.under)
    assert len([link for link in shown.all("a") if link.get("aria-current") == "page"]) == 1
    assert len(shown.all("h1")) == 1


@pytest.mark.parametrize("path", VIEWS)
def test_every_field_has_a_label(filled: Client, path: str) -> None:
    html = get(filled, path).text
    inside = "".join(re.findall(r"<label>.*?</label>", html, re.DOTALL))
    for tag in ("<input", "<select", "<textarea"):
        visible = [each for each in re.findall(rf"{tag}[^>]*>", html) if 'type="hidden"' not in each]
        assert all(each in inside for each in visible)


def test_what_is_no_browser_gets_the_endpoints_as_before(client: Client) -> None:
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5", ""):
        response = client.get("/", headers={"Accept": accept} if accept else {})
        assert response.json["control"] == "/_emulator/health"
        assert "Accept" in response.headers["Vary"]


def test_numbers_are_those_of_the_control_api(filled: Client) -> None:
    funnel = filled.get("/_emulator/funnel").json
    stages = re.findall(r"<strong>(\d+)</strong> <span>([^<]+)</span>", get(filled, "/").text)
    assert [(stage["name"], stage["count"]) for stage in funnel["pipeline"]] == [(name, int(n)) for n, name in stages]
    assert len(stages) == 7
    total = filled.get("/_emulator/journal").json["total"]
    assert f"Requests to /graphql ({total})" in page(filled, "/console/requests").text


def test_a_person_is_found_by_each_name(filled: Client) -> None:
    message = filled.get("/_emulator/calls?userId=ada").json["calls"][0]["messageId"]
    for name in ("ada", EMAIL, message):
        assert "Arrived" in page(filled, f"/console/person?person={name}").text


def test_why_someone_is_missing_names_reason_advice_and_change(filled: Client) -> None:
    why = filled.get("/_emulator/why?userId=grace").json
    shown = page(filled, "/console/person?person=grace&all=on")
    for text in (why["stopped"]["reason"], why["stopped"]["advice"], why["changes"][0]["text"], "curl -s"):
        assert text in shown.text
    code = why["stopped"]["reason"]
    # In the answer and in the timeline.
    assert [link.get("href") for link in shown.all("a")].count(f"/console/reasons#{code}") == 2
    assert code in [term.get("id") for term in page(filled, "/console/reasons").all("dt")]


def test_a_request_shows_its_document_records_and_answer(filled: Client) -> None:
    entry = filled.get("/_emulator/journal").json["entries"][0]
    shown = page(filled, f"/console/requests?trace={entry['traceId']}")
    for text in (
        "upsertProfiles(",
        '"audienceName": "vip_customers"',
        '"userErrors": []',
        "Authorization: Bearer TOKEN",
    ):
        assert text in shown.text


def test_an_empty_list_shows_the_command_that_fills_it(client: Client) -> None:
    for path in ("person", "profiles", "segments", "requests"):
        assert "curl -s" in page(client, f"/console/{path}").text


def test_profiles_are_paged_by_cursor(client: Client) -> None:
    emails = [f"p{number:03}@example.com" for number in range(120)]
    lines = "".join(f'{{"email": "{email}"}}\n' for email in emails)
    answer = client.post("/_emulator/profiles/import?advertiserId=1001&format=jsonl", data=lines)
    assert answer.status_code == 200, answer.text
    found, path = [], "/console/profiles"
    while path:
        shown = page(client, path)
        found += re.findall(r"p\d{3}@example\.com", shown.text)
        path = next((link["href"] for link in shown.all("a") if link.get("rel") == "next"), "")  # type: ignore[assignment]  # an attribute is a string
    assert found == emails


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_text(client: Client, value: str) -> None:
    send(client, userId=value[:200], traits={"email": EMAIL, "first_name": value, "total_spent": 700})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    rule = {"field": "segment_engage_audience_name", "operator": "equals", "value": value}
    client.post("/_emulator/segments", json={"advertiserId": "1001", "name": value, "rule": rule})
    trace = client.get("/_emulator/journal").json["entries"][0]["traceId"]
    for path, query in (
        ("/", {}),
        ("/console/person", {"person": value}),
        ("/console/person", {"person": EMAIL}),
        ("/console/profiles", {"email": value}),
        ("/console/segments", {"segment": "1", "create": "on"}),
        ("/console/requests", {"trace": trace}),
        ("/console/requests", {"outcome": value}),
        ("/console/requests", {"trace": value}),
        (f"/console/{value[:100]}".replace("?", ""), {}),
        ("/", {"sandbox": value}),
    ):
        response = client.get(path, query_string=query, headers=BROWSER)
        assert response.status_code in (200, 400, 404)
        shown = Page(response.text)
        assert all((script.get("src") or "").startswith("/console/static/") for script in shown.all("script"))
        assert not shown.all("img")


def test_a_masked_page_has_no_address_and_keeps_masking_in_its_links(filled: Client) -> None:
    for path in (
        "/console/person?mask=on&person=ada",
        "/console/profiles?mask=on",
        "/console/segments?mask=on&segment=1",
    ):
        shown = page(filled, path)
        assert EMAIL not in shown.text
        assert "***" in shown.text
        assert "/console/requests?mask=on" in [link.get("href") for link in shown.all("a")]
    trace = filled.get("/_emulator/journal").json["entries"][0]["traceId"]
    assert EMAIL not in page(filled, f"/console/requests?mask=on&trace={trace}").text


def test_an_item_that_cannot_be_read_is_one_row() -> None:
    rows = rows_of([{"a": 1}, None, {}, {"a": 2}], lambda item: Row([item["a"]]))
    assert [row.unreadable for row in rows] == [None, None, {}, None]
    assert [list(row.cells) for row in rows] == [[1], [], [], [2]]


def test_a_link_keeps_the_sandbox(client: Client) -> None:
    client.post("/_emulator/sandboxes", json={"name": "other"})
    shown = page(client, "/console/profiles?sandbox=other")
    assert "/console/segments?sandbox=other" in [link.get("href") for link in shown.all("a")]
    assert shown.all("body")[0]["data-sandbox"] == "other"


def test_a_command_asks_what_the_page_asks() -> None:
    view = View.read("person", {"sandbox": "it's", "mask": "on", "person": "a b"}, "http://host:1/")
    assert view.curl("why", userId="a b") == (
        """curl -s -H 'X-Emulator-Sandbox: it'"'"'s' 'http://host:1/_emulator/why?userId=a%20b'"""
    )
    assert view.here() == "/console/person?sandbox=it%27s&mask=on&person=a+b"


# Every button is an operation of the control API.


def test_each_action_is_an_operation() -> None:
    paths = yaml.safe_load(contract_text("openapi.yaml"))["paths"]
    for action in ACTIONS.values():
        assert action.method.lower() in paths[action.path], action
        assert action.path.startswith(("/_emulator/", "/v1/"))


@pytest.mark.parametrize("path", VIEWS)
def test_a_form_is_an_action_of_its_screen_or_a_search(filled: Client, path: str) -> None:
    screen = next((each for each in SCREENS if address(each.path) == path.partition("?")[0]), None)
    own = (*EVERYWHERE, *(screen.actions if screen else ()))
    for form in page_of_any_status(filled, path).all("form"):
        if form.get("class") != "act":
            assert form.get("method") == "get" or form["action"] == "/console/token"
            continue
        action = ACTIONS[form["data-action"] or ""]
        assert action in own
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(action.path))
        assert form["data-method"] == action.method
        assert re.fullmatch(pattern, form["data-path"] or "")


@pytest.mark.parametrize("path", VIEWS)
def test_a_button_with_a_path_of_its_own_is_an_action_of_its_screen(filled: Client, path: str) -> None:
    screen = next((each for each in SCREENS if address(each.path) == path.partition("?")[0]), None)
    for button in page_of_any_status(filled, path).all("button"):
        if "data-path" in button:
            assert screen is not None
            action = ACTIONS[button["data-action"] or ""]
            assert action in screen.actions
            assert button["data-method"] == action.method
            assert re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(action.path)), button["data-path"] or "")


def page_of_any_status(client: Client, path: str) -> Page:
    return Page(get(client, path).text)


# Who may see it.


def test_with_a_control_token_the_console_asks_for_it() -> None:
    with Emulator(control_token="secret-of-the-console") as emulator:
        client = emulator.client
        asked = page(client, "/console/profiles?email=x", 401)
        assert "Control token" in asked.text
        back = next(each["value"] for each in asked.all("input") if each.get("name") == "back")
        wrong = client.post("/console/token", data={"token": "wrong", "back": back})
        assert (wrong.status_code, wrong.location) == (303, "/console/sign-in?wrong=on")
        right = client.post("/console/token", data={"token": "secret-of-the-console", "back": back})
        assert right.location == "/console/profiles?email=x"
        cookie = right.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "secret-of-the-console" not in cookie
        page(client, "/console/profiles")
        assert client.post("/_emulator/clock/freeze").status_code == 200
        elsewhere = {"Origin": "http://elsewhere.example"}
        assert client.post("/_emulator/clock/freeze", headers=elsewhere).status_code == 403
        assert emulator.app.test_client(use_cookies=False).get("/_emulator/clock").status_code == 401


@pytest.mark.parametrize(
    "back", ["http://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:x"]
)
def test_the_form_leads_to_the_console_only(back: str) -> None:
    with Emulator(control_token="secret-of-the-console") as emulator:
        answer = emulator.client.post("/console/token", data={"token": "secret-of-the-console", "back": back})
        assert answer.location == "/"


def test_another_origin_cannot_use_the_form() -> None:
    with Emulator(control_token="secret-of-the-console") as emulator:
        answer = emulator.client.post("/console/token", data={}, headers={"Origin": "http://elsewhere.example"})
        assert answer.status_code == 403


def test_nothing_of_the_console_is_imported_before_it_is_opened() -> None:
    code = """
import sys
from emulator.cli import main
from emulator.server.emulator import Emulator
def imported(): return sorted(name for name in sys.modules if name.startswith("emulator.console"))
with Emulator() as emulator:
    emulator.client.get("/"); emulator.client.get("/_emulator/health")
    assert imported() == [], imported()
    emulator.client.get("/", headers={"Accept": "text/html"})
    assert imported()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_file_of_others_and_little_to_load() -> None:
    folder = Path(sys.modules["emulator.console"].__file__ or "").parent
    files = [path for name in ("static", "templates") for path in (folder / name).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".css", ".js", ".html"}
    assert sum(path.stat().st_size for path in files) < 200_000
    assert not [path for path in files if re.search(r"https?://", path.read_text(encoding="utf-8"))]
