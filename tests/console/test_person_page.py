"""The page of a person: who is missing, what is offered, and each stage with its documents."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from emulator.server.emulator import Emulator
from tests.console.browser_pages import follow, opened
from tests.console.pages import EMAIL, get, page, send
from tests.server.test_customer_data import UPSERT, graphql

if TYPE_CHECKING:
    from playwright.sync_api import Browser

GRACE = "/console/person?person=grace&all=on"


def forms(client: Client, path: str) -> dict[str, dict[str, Any]]:
    """The bodies of the page's actions by their names."""
    html = get(client, path).text
    found = {}
    for name, inside in re.findall(r'<form class="act"[^>]*data-action="([^"]*)"[^>]*>(.*?)</form>', html, re.DOTALL):
        fields = re.findall(r'name="([^"]*)" value="([^"]*)" data-type="json"', inside)
        found[name] = {field: json.loads(unescape(value)) for field, value in fields}
    return found


def test_people_who_did_not_arrive_are_listed_by_reason(filled: Client) -> None:
    rows = '[{"email": "no-address", "userId": "n1"}]'
    graphql(filled, UPSERT, externalProvider="segmentio", profiles=rows)
    every = page(filled, "/console/person")
    counts = filled.get("/_emulator/counts").json
    rejected = counts["segment"]["reasons"]["rejected"]["PAYLOAD_VALIDATION_FAILED"]
    assert f"PAYLOAD_VALIDATION_FAILED ({rejected})" in every.text
    assert f"INVALID_EMAIL ({counts['stackadapt']['rejections']['INVALID_EMAIL']})" in every.text

    def people(query: str) -> list[str]:
        return re.findall(r'person\?person=(\w+)"', get(filled, f"/console/person?{query}").text)

    assert people("") == ["grace", "n1"]
    assert people("reason=PAYLOAD_VALIDATION_FAILED") == ["grace"]
    assert people("reason=INVALID_EMAIL") == ["n1"]
    assert people("reason=UNKNOWN") == []


def test_the_change_is_applied_by_the_button(filled: Client) -> None:
    assert forms(filled, GRACE)["apply changes"] == {"userId": "grace"}
    assert filled.post("/_emulator/why/apply", json=forms(filled, GRACE)["apply changes"]).status_code == 200
    filled.post("/_emulator/clock/advance", json={"hours": 5})
    assert "Arrived" in page(filled, GRACE).text
    assert "apply changes" not in forms(filled, GRACE)
    assert forms(filled, GRACE)["send again"] == {"userId": "grace"}


LISTED = re.compile(r'person\?person=([^"]+)">[^<]*</a></td><td[^>]*>([^<]*)</td><td[^>]*><a [^>]*>([^<]*)</a>')
NO_AUDIENCES: dict[str, Any] = {"audiences": [], "destinations": []}
BATCH = [
    {
        "key": "a",
        "id": "aud_a",
        "name": "A",
        "condition": {"trait": "plan", "operator": "exists"},
        "computation": "batch",
    }
]
# A workspace, what is sent, and who is listed with which reason once those in no audience are there.
OUTSIDE: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = {
    "condition": ({}, {"userId": "joan", "traits": {"total_spent": 1}}, [("joan", "Engage", "CONDITION_FALSE")]),
    "no audience": (NO_AUDIENCES, {"userId": "joan"}, [("joan", "Engage", "NO_AUDIENCE")]),
    "batch": (
        {**NO_AUDIENCES, "audiences": BATCH},
        {"userId": "joan", "traits": {"plan": "gold"}},
        [("joan", "Engage", "NOT_COMPUTED_YET")],
    ),
    "an email": (
        {},
        {"anonymousId": "x", "traits": {"email": EMAIL}},
        [("ada%40example.com", "Engage", "CONDITION_FALSE")],
    ),
    "not known by any name": ({}, {"anonymousId": "x", "traits": {}}, []),
    "a member": ({}, {"userId": "joan", "traits": {"email": EMAIL, "total_spent": 700}}, []),
}


@pytest.mark.parametrize(("workspace", "call", "listed"), OUTSIDE.values(), ids=OUTSIDE)
def test_people_in_no_audience_are_listed_with_the_reason_of_the_search(
    client: Client, workspace: dict[str, Any], call: dict[str, Any], listed: list[tuple[str, str, str]]
) -> None:
    assert client.patch("/_emulator/workspace", json=workspace).status_code == 200
    send(client, **call)
    client.post("/_emulator/clock/advance", json={"hours": 1})
    assert 'data-later="/console/person?all=on"' in get(client, "/console/person").text
    whole = get(client, "/console/person?all=on").text
    assert LISTED.findall(whole) == listed
    for name, _, reason in listed:
        assert f"{reason} (1)" in whole
        assert reason in page(client, f"/console/person?person={name}").text
        assert LISTED.findall(get(client, f"/console/person?all=on&reason={reason}").text) == listed
        assert not LISTED.findall(get(client, "/console/person?all=on&reason=OTHER").text)
        assert "1 person did not arrive" in page(client, "/console/profiles").text


def test_those_who_left_every_audience_have_arrived(client: Client) -> None:
    for spent in (700, 1):
        send(client, userId="joan", traits={"email": EMAIL, "total_spent": spent})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    assert not LISTED.findall(get(client, "/console/person?all=on").text)


@pytest.mark.parametrize("form", ["curl", "pytest", "scenario"])
def test_the_case_is_shown_as_the_api_writes_it(filled: Client, form: str) -> None:
    text = filled.get(f"/_emulator/why/case?userId=grace&as={form}").json["text"]
    assert text in page(filled, f"{GRACE}&as={form}").text
    assert text not in page(filled, f"{GRACE}&as={form}&mask=on").text


def test_a_queued_person_says_when_it_becomes_visible(client: Client) -> None:
    client.patch("/_emulator/workspace", json={"ingestion": {"latency": "4h"}})
    send(client, userId="ada", traits={"email": EMAIL, "total_spent": 700})
    client.post("/_emulator/clock/advance", json={"duration": "48m"})
    for name in ("ada", EMAIL):
        path = f"/console/person?person={name}"
        assert "becomes visible in 3 h 12 min" in page(client, path).text
        assert forms(client, path)["advance"] == {"duration": "192m"}
    client.post("/_emulator/clock/advance", json={"duration": "192m"})
    assert "Arrived" in page(client, f"/console/person?person={EMAIL}").text


def test_each_stage_opens_what_it_was_about(filled: Client) -> None:
    shown = page(filled, f"/console/person?person={EMAIL}&all=on").text
    record = filled.get(f"/_emulator/records?email={EMAIL}").json["records"][0]
    delivery = filled.get("/_emulator/deliveries?userId=ada").json["deliveries"][0]
    for document in (record["record"], delivery["payload"]):
        assert json.dumps(document, indent=2) in shown
    missing = filled.get("/_emulator/deliveries?userId=grace").json["deliveries"][0]
    assert json.dumps(missing["payload"], indent=2) in page(filled, GRACE).text


def test_a_message_leads_to_its_person(filled: Client) -> None:
    message = filled.get("/_emulator/calls?userId=grace").json["calls"][0]["messageId"]
    html = get(filled, f"/console/person?person={message}").text
    assert 'data-next="/console/person?person=grace"' in html


def test_why_grace_is_missing_is_repaired_by_clicks(browser: Browser) -> None:
    with Emulator() as emulator, opened(browser, emulator) as go:
        emulator.client.post("/_emulator/clock/freeze")
        send(emulator.client, userId="grace", traits={"total_spent": 700})
        shown = go("/console/person")
        follow(shown.get_by_role("link", name="grace"))
        shown.get_by_text("Did not arrive").wait_for()
        follow(shown.get_by_role("button", name="Apply"))
        shown.get_by_text("✓ Arrived").wait_for()
        assert emulator.client.get("/_emulator/profiles?externalId=grace").json["profiles"]


def test_a_segment_is_previewed_corrected_and_combined_before_it_is_created(browser: Browser) -> None:
    with Emulator() as emulator, opened(browser, emulator) as go:
        emulator.client.post("/_emulator/clock/freeze")
        send(emulator.client, userId="ada", traits={"email": EMAIL, "total_spent": 700})
        shown = go("/console/segments?create=on")
        preview = shown.get_by_role("status")
        shown.get_by_label("Name", exact=True).fill("VIP")
        shown.get_by_label("Value").fill("vip_custmers")
        preview.get_by_text("0 profiles").wait_for()
        preview.get_by_role("button", name="Did you mean vip_customers?").click()
        preview.get_by_text("1 profile").wait_for()
        preview.get_by_text(EMAIL).wait_for()
        shown.get_by_role("button", name="Add Condition").click()
        second = shown.get_by_role("group", name="Condition").nth(1)
        second.get_by_label("Rule").select_option("Email")
        second.get_by_label("Condition").select_option("exists")
        shown.get_by_role("button", name="Submit").click()
        shown.wait_for_url("**/console/segments?segment=1")
        created = emulator.client.get("/_emulator/segments/1").json
        tests = [("segment_engage_audience_name", "equals", "vip_customers"), ("email", "exists", None)]
        assert [(each["field"], each["operator"], each.get("value")) for each in created["rule"]["all"]] == tests
        assert created["members"] == [EMAIL]
