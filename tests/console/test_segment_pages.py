"""Segment's screens as HTML: each number is that of the control API, each mistake is said with its correction."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from emulator.artefacts import fixture
from emulator.server.emulator import Emulator
from emulator.workspace import load_workspace
from tests.console.pages import EMAIL, HOSTILE, WRITING, Page, enter, get, page, send

NAME = "StackAdapt Acme"
PATH = f"/_emulator/workspace/destinations/{quote(NAME)}"
AUDIENCE = "/console/audiences?audience=vip_customers"
JOURNEY = {
    "id": "welcome",
    "name": "Welcome",
    "entry": {"trait": "total_spent", "operator": "exists"},
    "steps": [
        {"key": "first", "name": "First"},
        {"key": "second", "name": "Second", "condition": {"trait": "email", "operator": "exists"}},
    ],
}


def post(client: Client, call: str, key: str = WRITING, **body: Any) -> None:
    headers = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
    client.post(f"/v1/{call}", json=body, headers=headers)


def ask(client: Client, path: str) -> Any:
    return client.get(f"/_emulator/{path}").json


def links(shown: Page) -> set[str]:
    return {link.get("href") or "" for link in shown.all("a")}


def press(client: Client, form: dict[str, Any]) -> None:
    """Sends a form of a page whose fields are hidden, as the browser does."""
    answer = client.open(form["path"], method=form["method"], json=form["body"])
    assert answer.status_code < 300, answer.text


def buttons(html: str) -> dict[str, dict[str, Any]]:
    """The forms with hidden fields only, by the label of their button."""
    found = {}
    for form, inside in re.findall(r"<form class=\"act\" ([^>]*)>(.*?)</form>", html, re.DOTALL):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', form))
        fields = Page(inside).all("input")
        if any(field.get("type") != "hidden" for field in fields):
            continue
        body = {field["name"]: json.loads(field["value"] or "null") for field in fields if "data-type" in field}
        label = re.sub(r"<[^>]*>", "", inside.partition("<button>")[2].partition("</button>")[0])
        path, method = attributes["data-path"], attributes["data-method"]
        found[label] = {"path": path, "method": method, "body": body.get(".", body)}
    return found


# Debugger.


@pytest.fixture
def calls(client: Client) -> Client:
    send(client, userId="ada", messageId="m1", traits={"email": EMAIL})
    send(client, userId="ada", messageId="m1", traits={"email": EMAIL})
    post(client, "track", userId="grace", messageId="m2", event="Order Completed", properties={"total": 12})
    post(client, "track", key="unknown", userId="zoe")
    return client


def times(shown: Page) -> int:
    return len(re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", shown.text)) - 1  # the clock


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", ""),
        ("search=order", "search=order"),
        ("source=Website", "source=Website"),
        ("type=track", "type=track"),
        ("outcome=accepted", "accepted=true"),
        ("outcome=dropped", "accepted=false"),
        ("reason=duplicate", "reason=duplicate"),
        ("person=ada", "userId=ada"),
        (f"person={EMAIL}", f"email={EMAIL}"),
    ],
)
def test_the_debugger_lists_the_calls_of_the_api(calls: Client, query: str, asked: str) -> None:
    shown = page(calls, f"/console/debugger?{query}")
    assert times(shown) == ask(calls, f"calls?{asked}")["total"] > 0


def test_a_call_that_was_not_accepted_has_its_reason_as_a_link(calls: Client) -> None:
    shown = page(calls, "/console/debugger")
    assert {"/console/reasons#duplicate", "/console/reasons#unknown_source"} <= links(shown)
    assert [shown.text.count(each) for each in ("✓ accepted", "✗ dropped", "✗ refused (400)")] == [2, 1, 1]


def test_a_call_is_pretty_or_raw_and_leads_on(calls: Client) -> None:
    pretty = page(calls, "/console/debugger?message=m2")
    assert 'analytics.track("Order Completed", {' in pretty.text
    raw = page(calls, "/console/debugger?message=m2&raw=on")
    assert '"messageId": "m2"' in raw.text
    assert "analytics.track" not in raw.text
    test = "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=Sync+Audience&event=m2"
    assert {test, "/console/person?person=grace"} <= links(raw)
    assert "curl -s -u WRITE_KEY: --json" in raw.text
    dropped = page(calls, "/console/debugger?message=m1&picked=dropped")
    assert "✗ dropped: duplicate" in dropped.text.replace("\n", "")


def test_a_call_is_sent_again_as_a_new_one(calls: Client) -> None:
    html = get(calls, "/console/debugger?message=m2").text
    press(calls, buttons(html)["Send again"])
    newest = ask(calls, "calls?before=newest&limit=1&content=true")["calls"][0]
    assert (newest["accepted"], newest["event"], newest["userId"]) == (True, "Order Completed", "grace")
    assert newest["messageId"] != "m2"
    assert newest["content"]["properties"] == {"total": 12}


def test_the_list_is_live_on_its_first_page_until_it_is_paused(calls: Client) -> None:
    def live(query: str) -> bool:
        (found,) = (each for each in page(calls, f"/console/debugger{query}").all("div") if each.get("id") == "calls")
        assert found["data-news"] == "call"
        return found.get("data-live") == "list"

    assert live("")
    assert not live("?live=off")
    for number in range(210):
        send(calls, userId=f"u{number}")
    shown = page(calls, "/console/debugger")
    assert times(shown) == 100
    second = next(link for link in links(shown) if "before=" in link)
    assert times(page(calls, second)) == 100
    assert not live(second.partition("debugger")[2])


def test_a_workspace_without_a_source_asks_for_one() -> None:
    with Emulator(load_workspace(fixture("empty-workspace.yaml"))) as emulator:
        shown = page(emulator.client, "/console/debugger")
        assert "The workspace has no source." in shown.text
        forms = [form.get("data-action") for form in shown.all("form")]
        assert "add source" in forms
        assert not [form for form in forms if form and form.startswith("send")]


def test_a_form_sends_with_the_write_key_of_the_chosen_source(client: Client) -> None:
    shown = page(client, "/console/debugger?send=identify&person=ada")
    (form,) = (form for form in shown.all("form") if form.get("data-action") == "send identify")
    assert (form["data-path"], form["data-method"]) == ("/v1/identify", "POST")
    assert "segment-local" in [option.get("value") for option in shown.all("option")]
    assert "segment-local" not in shown.text


# Audiences.


def test_an_audience_has_condition_size_and_members_of_the_api(filled: Client) -> None:
    (audience,) = ask(filled, "audiences")["audiences"]
    shown = page(filled, AUDIENCE)
    assert audience["size"] == 2
    for text in (audience["conditionText"], "2 profiles", "Members (2)", "ada@example.com", "aud_local_vip"):
        assert text in shown.text
    for member in ask(filled, "audiences/vip_customers/members")["profiles"]:
        assert f"/console/explorer?profile={member['id']}" in links(shown)


def test_members_are_paged_by_cursor(client: Client) -> None:
    for number in range(120):
        send(client, userId=f"p{number:03}", traits={"total_spent": 900})
    found, path = [], AUDIENCE
    while path:
        shown = page(client, path)
        found += re.findall(r"p\d{3}", shown.text)
        path = next((link["href"] or "" for link in shown.all("a") if link.get("rel") == "next"), "")
    assert found == [f"p{number:03}" for number in range(120)]


def workspace_of(client: Client) -> Any:
    return ask(client, "workspace")["workspace"]


def connection(client: Client) -> Any:
    return workspace_of(client)["destinations"][0]["audiences"]


def change(client: Client, path: str, **body: Any) -> None:
    assert client.patch(path, json=body).status_code == 200


MISTAKES: dict[str, tuple[str, Callable[[Client], None]]] = {
    "Require an email": ("The condition requires no email", lambda client: None),
    "Turn on Send Identify": (
        "Send Track and Send Identify are both off",
        lambda client: change(
            client, PATH, audiences=[{"key": "vip_customers", "sendTrack": False, "sendIdentify": False}]
        ),
    ),
    "Send the email": (
        "no email is sent",
        lambda client: change(client, PATH, audiences=[{"key": "vip_customers", "email": False}]),
    ),
    "Enable Destination": ("is disabled", lambda client: change(client, PATH, enabled=False)),
    "Enable Sync Audience": (
        "the mapping Sync Audience is disabled",
        lambda client: change(client, f"{PATH}/subscriptions/Sync%20Audience", enabled=False),
    ),
}


@pytest.mark.parametrize("label", MISTAKES)
def test_a_mistake_is_said_and_its_button_corrects_it(client: Client, label: str) -> None:
    text, make = MISTAKES[label]
    make(client)
    html = get(client, AUDIENCE).text
    assert text in Page(html).text
    press(client, buttons(html)[label])
    after = get(client, AUDIENCE).text
    assert text not in Page(after).text
    assert label not in buttons(after)


@pytest.mark.parametrize("condition", [{"audience": "vip_customers"}, {"all": [{"trait": "a", "operator": "exists"}]}])
def test_an_email_is_required_whatever_the_condition_is(client: Client, condition: Any) -> None:
    item = {"key": "other", "id": "aud_other", "name": "Other", "condition": condition, "computation": "batch"}
    assert client.post("/_emulator/workspace/audiences", json=item).status_code == 201
    press(client, buttons(get(client, "/console/audiences?audience=other").text)["Require an email"])
    after = ask(client, "workspace/audiences/other")["item"]
    assert after["computation"] == "batch"
    assert ask(client, "audiences")["audiences"][1]["requiresEmail"]


def test_without_a_connection_the_page_leads_to_add_destination(client: Client) -> None:
    change(client, PATH, audiences=[])
    shown = page(client, AUDIENCE)
    assert "It is connected to no destination" in shown.text
    assert "/console/audiences?audience=vip_customers&connect=choose" in links(shown)
    choose = page(client, f"{AUDIENCE}&connect=choose")
    assert "/console/audiences?audience=vip_customers&connect=StackAdapt+Acme#connect" in links(choose)
    form = page(client, f"{AUDIENCE}&connect=StackAdapt+Acme")
    switches = {each["name"]: "checked" in each for each in form.all("input") if each.get("data-type") == "boolean"}
    # As Segment sets them for a destination that is new to an audience.
    assert switches == {"audiences/[0]/sendTrack": False, "audiences/[0]/sendIdentify": True}


def test_other_audiences_of_a_destination_stay(client: Client) -> None:
    other = {"key": "other", "id": "aud_other", "name": "Other", "condition": {"audience": "vip_customers"}}
    client.post("/_emulator/workspace/audiences", json=other)
    own = {"key": "vip_customers", "enterEvent": "In", "traits": {"a": "b"}}
    change(client, PATH, audiences=[own, {"key": "other", "email": "first"}])
    shown = page(client, AUDIENCE)
    (base,) = (
        json.loads(each["value"] or "")
        for each in shown.all("input")
        if each.get("name") == "audiences" and '"In"' in (each.get("value") or "")
    )
    assert base == [{"key": "other", "email": "first"}, {"key": "vip_customers", "enterEvent": "In"}]


def test_what_was_saved_can_be_computed_now(filled: Client) -> None:
    html = get(filled, f"{AUDIENCE}&saved={NAME.replace(' ', '+')}").text
    assert "is saved" in html
    assert "is saved" not in get(filled, f"{AUDIENCE}&saved=unknown").text
    change(filled, PATH, audiences=[])
    html = get(filled, AUDIENCE).text
    assert 'data-path="/_emulator/audiences/vip_customers/compute"' in html
    assert "Compute now" in html


def compute(client: Client, **body: Any) -> str:
    """What the page says after computing: it puts the answer in its address, as the script does."""
    answer = client.post("/_emulator/audiences/vip_customers/compute", json=body).json
    form = next(each for each in page(client, AUDIENCE).all("form") if each.get("data-action") == "compute audience")
    path = re.sub(r"%7B(\w+)%7D", lambda pointer: str(answer.get(pointer[1], "")), form["data-next"] or "")
    return page(client, path).text


def test_computing_says_what_happened(filled: Client) -> None:
    done = compute(filled, destination=NAME)
    assert re.search(r"Computed for 2 profiles: 0 entered, 0 exited, \d events emitted for 2 members\.", done)
    condition = {"trait": "total_spent", "operator": "at_least", "value": 5000}
    filled.patch("/_emulator/workspace/audiences/vip_customers", json={"condition": condition})
    assert re.search(r"Computed for 2 profiles: 0 entered, 2 exited, \d events emitted\.", compute(filled))
    assert "no profile meets the condition (2 known)" in compute(filled)


UNCHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "no destination": ({}, {}, {}, "Choose a destination"),
    "no connection": ({"audiences": []}, {}, {}, "connected to no destination"),
    "no type of event": (
        {"audiences": [{"key": "vip_customers", "sendTrack": False, "sendIdentify": False}]},
        {},
        {"destination": NAME},
        "Send Track and Send Identify are off",
    ),
    "no history": ({}, {"includeHistory": False}, {"destination": NAME}, "Choose Resync"),
}


@pytest.mark.parametrize(("destination", "audience", "body", "why"), UNCHANGED.values(), ids=UNCHANGED)
def test_computing_says_why_nothing_changed(
    filled: Client, destination: Any, audience: Any, body: dict[str, Any], why: str
) -> None:
    change(filled, PATH, **destination)
    change(filled, "/_emulator/workspace/audiences/vip_customers", **audience)
    said = compute(filled, **body)
    assert "Nothing changed, because" in said
    assert why in said


def test_computing_an_empty_space_says_so(client: Client) -> None:
    assert "because the space has no profile" in compute(client)


# Journeys and profiles.


def test_a_step_shows_who_is_in_it(filled: Client) -> None:
    filled.post("/_emulator/workspace/journeys", json=JOURNEY)
    send(filled, userId="ada", traits={"total_spent": 701})
    send(filled, userId="grace", traits={"total_spent": 701})
    (journey,) = ask(filled, "journeys")["journeys"]
    assert [step["size"] for step in journey["steps"]] == [2, 1]
    for step in journey["steps"]:
        shown = page(filled, f"/console/journeys?journey=welcome&step={step['key']}")
        assert f"People in {step['name']} ({step['size']})" in shown.text
        assert len([link for link in links(shown) if link.startswith("/console/explorer?")]) == step["size"]


def test_a_profile_is_found_by_each_identifier_and_says_why_it_is_in(filled: Client) -> None:
    send(filled, userId="low", anonymousId="anon-1", traits={"total_spent": 3})
    for name in ("ada", EMAIL, "anon-1"):
        found = page(filled, f"/console/explorer?person={name}")
        assert len([link for link in links(found) if "profile=" in link]) == 1
    missing = page(filled, "/console/explorer?person=ADA")
    assert "/console/person?person=ADA" in links(missing)
    (profile,) = ask(filled, "space/profiles?userId=low")["profiles"]
    shown = page(filled, f"/console/explorer?profile={profile['id']}")
    (explained,) = ask(filled, f"audiences/explain?profileId={profile['id']}")["audiences"]
    for text in (*explained["failed"], "✗ not in", '"total_spent": 3', "anonymous_id", "identify"):
        assert text in shown.text
    assert "/console/person?person=low" in links(shown)


def test_empty_screens_show_the_command_that_fills_them() -> None:
    with Emulator(load_workspace(fixture("empty-workspace.yaml"))) as emulator:
        for path in ("debugger", "audiences", "journeys", "explorer"):
            assert "curl -s" in page(emulator.client, f"/console/{path}").text, path


def test_a_masked_page_hides_who_it_is(filled: Client) -> None:
    (profile,) = ask(filled, "space/profiles?userId=ada")["profiles"]
    message = ask(filled, "calls?userId=ada")["calls"][0]["messageId"]
    for path in (
        f"/console/debugger?message={message}",
        f"/console/debugger?message={message}&raw=on",
        AUDIENCE,
        f"/console/explorer?profile={profile['id']}",
    ):
        shown = page(filled, f"{path}&mask=on")
        assert EMAIL not in shown.text, path
        assert "***" in shown.text


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_text(client: Client, value: str) -> None:
    enter(client, "ada")
    post(client, "track", userId=value[:200], messageId="h1", event=value, properties={value: value})
    (profile,) = ask(client, "space/profiles?limit=1&userId=ada")["profiles"]
    for path, query in (
        ("debugger", {"message": "h1"}),
        ("debugger", {"search": value, "reason": value, "person": value, "send": "track"}),
        ("audiences", {"audience": value, "connect": value}),
        ("journeys", {"journey": value, "step": value}),
        ("explorer", {"person": value}),
        ("explorer", {"profile": profile["id"]}),
    ):
        shown = Page(client.get(f"/console/{path}", query_string=query, headers={"Accept": "text/html"}).text)
        assert not shown.all("img"), path
        assert len(shown.all("h1")) == 1, path


def test_a_form_waits_for_its_script(client: Client) -> None:
    # Pressed before, it would go to the page itself, with its fields in the address.
    for path in ("/", "/console/audiences?new=on", "/console/debugger?send=identify"):
        forms = [form for form in page(client, path).all("form") if form.get("class") == "act"]
        assert forms
        assert all("inert" in form for form in forms), path
