"""The screens of StackAdapt's Customer Data as HTML: what they show is what the control API answers."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from werkzeug.test import Client

from emulator.console.screens.stackadapt.segment_form import (
    CAPTIONS,
    WITH_VALUE,
    WITHOUT_VALUE,
    conditions_of,
    in_words,
    with_value,
)
from emulator.console.times import left
from emulator.stackadapt.rules.segment_rules import FIELDS, NOTHING, OPERATORS, canonical_field
from tests.console.pages import EMAIL, get, page, send
from tests.server.test_customer_data import COLUMN, UPLOAD, UPSERT, graphql, import_people, rule

PROFILES = "/console/profiles"


def api(client: Client, path: str) -> Any:
    answer = client.get(f"/_emulator/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def link(client: Client, path: str, text: str) -> str:
    """The address behind a link with this text."""
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(text)}</a>', get(client, path).text)
    assert found, (path, text)
    return unescape(found[1])


def queued(client: Client) -> None:
    client.patch("/_emulator/workspace", json={"ingestion": {"latency": "4h"}})
    graphql(client, UPSERT, externalProvider="segmentio", profiles='[{"email": "slow@example.com", "userId": "slow"}]')


def test_profiles_lead_forwards_and_back_to_the_same_pages(client: Client) -> None:
    import_people(client, 60)
    people = re.compile(r"p\d\d@example\.com</a>")
    first = people.findall(get(client, PROFILES).text)
    second = link(client, PROFILES, "Next page")
    assert people.findall(get(client, link(client, second, "Back")).text) == first
    assert len(people.findall(get(client, second).text)) == 10


def test_what_is_queued_is_announced_with_its_time(client: Client) -> None:
    assert "move the clock" not in page(client, f"{PROFILES}?all=on").text
    queued(client)
    client.post("/_emulator/clock/advance", json={"duration": "48m"})
    counts = api(client, "counts")["stackadapt"]
    assert (counts["records"]["queued"], counts["lastDueAt"]) == (1, api(client, "records")["records"][0]["dueAt"])
    shown = page(client, f"{PROFILES}?all=on").text
    assert "1 record accepted, visible in at most 3 h 12 min: move the clock" in shown
    for query in ("email=slow@example.com", "externalId=slow"):
        shown = page(client, f"{PROFILES}?{query}").text
        assert "It becomes visible in 3 h 12 min" in shown
        assert "Why is it missing?" in shown
    assert "It becomes visible" not in page(client, f"{PROFILES}?email=other@example.com").text
    client.post("/_emulator/clock/advance", json={"hours": 4})
    assert api(client, "counts")["stackadapt"]["lastDueAt"] is None


def test_empty_profiles_lead_to_those_who_did_not_arrive(client: Client) -> None:
    assert "did not arrive" not in page(client, PROFILES).text
    send(client, userId="grace", traits={"total_spent": 700})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    assert not api(client, "profiles")["profiles"]
    assert "1 person did not arrive: see why" in page(client, PROFILES).text
    assert "grace" in page(client, link(client, PROFILES, "see why")).text
    send(client, userId="ada", traits={"email": EMAIL, "total_spent": 700})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    assert "did not arrive" not in page(client, PROFILES).text


@pytest.mark.parametrize("version", ["2025-05", "2026-06"])
def test_a_new_segment_begins_with_the_rule_of_the_published_page(client: Client, version: str) -> None:
    assert client.patch("/_emulator/workspace", json={"apiVersion": version}).status_code == 200
    html = get(client, "/console/segments?create=on").text
    assert '<option value="segment_engage_audience_name" selected>Segment Engage Audience Name' in html


def test_a_profile_shows_what_changed_it_and_by_which_request(filled: Client) -> None:
    address = link(filled, PROFILES, EMAIL)
    shown = page(filled, address)
    profile = api(filled, f"profiles?email={EMAIL}")["profiles"][0]
    for text in (*profile["externalIds"], profile["audiences"][0]["since"], profile["marketingStatus"]):
        assert text in shown.text
    history = api(filled, f"profiles/history?advertiserId=1001&email={EMAIL}")["history"]
    links = [each.get("href") for each in shown.all("a")]
    assert {f"/console/requests?trace={each['requestId']}" for each in history} <= {*links}
    assert "email: ada@example.com" in shown.text
    assert f"/console/person?person={EMAIL.replace('@', '%40')}" in links
    masked = page(filled, address + "&mask=on").text
    assert EMAIL not in masked


def test_rejections_are_filtered_by_reason_and_person(client: Client) -> None:
    rows = '[{"email": "no-address", "userId": "n1"}, {"userId": "n2"}]'
    graphql(client, UPSERT, externalProvider="segmentio", profiles=rows)
    every = page(client, "/console/rejections")
    for reason, count in api(client, "counts")["stackadapt"]["rejections"].items():
        assert f"{reason} ({count})" in every.text
        assert f"/console/reasons#{reason}" in [each.get("href") for each in every.all("a")]
    for query, found in (("person=n2", "n2"), ("reason=INVALID_EMAIL", "n1"), ("person=no-address", "n1")):
        text = page(client, f"/console/rejections?{query}").text
        assert [name for name in ("n1", "n2") if f"userId: {name}" in text] == [found]


def test_lists_uploads_and_properties_show_what_the_api_answers(client: Client) -> None:
    people = [{"mail": "ann@example.com"}, {"mail": "no-address"}]
    graphql(client, UPLOAD, mappingSchema=[COLUMN], profiles=people, profileListName="Imported")
    graphql(client, UPSERT, externalProvider="segmentio", profiles='[{"email": "ann@example.com", "shoe_size": 38}]')
    upload = api(client, "uploads/1")
    shown = page(client, link(client, "/console/uploads", upload["filename"])).text
    for text in ("rejected (1)", "visible (1)", "INVALID_EMAIL", "mail: no-address", "fills list 1"):
        assert text in shown
    assert "ann@example.com" in page(client, "/console/uploads?upload=1&outcome=visible").text
    one = api(client, "lists/1")
    shown = page(client, link(client, "/console/lists", "Imported")).text
    assert f"{one['size']} profile, {one['emails']} with addresses" in shown
    assert "ann@example.com" in shown
    catalogue = api(client, "properties?advertiserId=1001")
    shown = page(client, "/console/properties").text
    assert f"Of {catalogue['counted']['profiles']} profiles" in shown
    assert all(each["label"] in shown for each in catalogue["properties"])
    assert "shoe_size" in shown
    assert "add a column for it" in shown


def test_deletions_are_listed(filled: Client) -> None:
    filled.post("/_emulator/regulations", json={"userId": "ada"})
    filled.post("/_emulator/clock/advance", json={"hours": 5})
    (deletion, *_) = api(filled, "deletions")["deletions"]
    shown = page(filled, "/console/deletions").text
    assert deletion["externalId"] in shown
    assert deletion["at"] in shown


# Segments.


@pytest.mark.parametrize(
    ("version", "first", "second"),
    [
        ("2026-06", "External Audience Name", "Segment Engage Audience Name"),
        ("2025-05", "Segment Engage Audience Name", "External Audience Name"),
        ("2024-12", "Segment Engage Audience Name", "External Audience Name"),
    ],
)
def test_the_captions_of_the_api_version_come_first(client: Client, version: str, first: str, second: str) -> None:
    assert client.patch("/_emulator/workspace", json={"apiVersion": version}).status_code == 200
    text = page(client, "/console/segments?create=on").text
    assert 0 < text.index(first) < text.index(second)


def test_the_form_is_there_before_the_first_profile(client: Client) -> None:
    shown = page(client, "/console/segments?create=on")
    values = api(client, "segments/values?advertiserId=1001&field=segment_engage_audience_name")["values"]
    assert values == ["vip_customers"]
    assert {each.get("value") for each in shown.all("option")} >= {*values, *WITH_VALUE, *WITHOUT_VALUE, "1001", "1002"}


def test_a_value_that_matches_nobody_is_corrected_by_a_button(client: Client) -> None:
    body = {"advertiserId": "1001", "name": "Typo", "rule": {"any": [rule("vip_custmers"), rule("vip_customers")]}}
    segment = client.post("/_emulator/segments", json=body).json
    html = get(client, f"/console/segments?segment={segment['id']}").text
    assert "Did you mean vip_customers?" in html
    assert unescape(segment["warnings"][0]) in unescape(html)
    place = segment["unknownValues"][0]["place"]
    corrected = with_value(segment["rule"], place, "vip_customers")
    changed = client.patch(f"/_emulator/segments/{segment['id']}", json={"rule": corrected}).json
    assert changed["warnings"] == []


def test_members_are_paged_and_lead_to_the_person(client: Client) -> None:
    import_people(client, 30)
    everyone = {"field": "email", "operator": "exists"}
    client.post("/_emulator/segments", json={"advertiserId": "1001", "name": "All", "rule": everyone})
    first = "/console/segments?segment=1"
    people = re.compile(r"p\d\d@example\.com</a>")
    assert len(people.findall(get(client, first).text)) == 20
    second = link(client, first, "Next page")
    assert len(people.findall(get(client, second).text)) == 10
    assert people.findall(get(client, link(client, second, "Back")).text) == people.findall(get(client, first).text)
    assert link(client, first, "p00@example.com") == "/console/person?person=p00%40example.com"


def test_the_form_offers_what_rules_accept() -> None:
    kinds = {name: operator.value for name, operator in OPERATORS.items()}
    assert set(WITHOUT_VALUE) == {name for name, kind in kinds.items() if kind == NOTHING}
    # A list of values is written as JSON.
    assert set(WITH_VALUE) == kinds.keys() - {*WITHOUT_VALUE, "one_of"}
    assert {canonical_field(field) for field in CAPTIONS} <= {each.field for each in FIELDS}
    assert all(canonical_field(caption) == canonical_field(field) for field, caption in CAPTIONS.items())


RULES = [
    (rule("x"), "Segment Engage Audience Name equals x", 1),
    ({"any": [rule("x"), {"field": "city", "operator": "not_exists"}]}, "(… or city not exists)", 2),
    ({"all": [{"field": "spent", "operator": "at_least", "value": 5}]}, "(spent at least 5)", 1),
    ({"not": rule("x")}, "not …", None),
    ({"all": [{"any": [rule("x")]}]}, "((…))", None),
    ({"field": "city", "operator": "one_of", "value": ["a", "b"]}, "city one of ['a', 'b']", None),
    (rule("x", since={"operator": "within_last", "value": "30d"}), "… since within last 30d", None),
    (None, "cannot be read", None),
]


@pytest.mark.parametrize(("document", "words", "number"), RULES)
def test_a_rule_is_shown_in_words_and_as_conditions(document: Any, words: str, number: int | None) -> None:
    assert in_words(document) == words.replace("…", "Segment Engage Audience Name equals x")
    conditions = conditions_of(document)
    assert (None if conditions is None else len(conditions.tests)) == number


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "1 min"), (59, "1 min"), (61, "2 min"), (3600, "1 h 0 min"), (11_520, "3 h 12 min")]
)
def test_a_time_that_is_left_in_words(seconds: int, words: str) -> None:
    until = f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000Z"
    assert left("2026-01-01T00:00:00.000Z", until) == words


def test_hostile_values_are_text_on_every_screen(client: Client) -> None:
    value = '"><img src=x onerror=alert(1)>'
    graphql(client, UPLOAD, mappingSchema=[COLUMN], profiles=[{"mail": value}], profileListName=value)
    send(client, userId=value, traits={"email": EMAIL, "first_name": value, "total_spent": 700})
    graphql(client, UPSERT, externalProvider="segmentio", profiles='[{"email": "ada@example.com", "<b>": 1}]')
    client.post("/_emulator/segments", json={"advertiserId": "1001", "name": value, "rule": rule(value)})
    for path in ("profiles?profile=ada@example.com&of=1001", "rejections", "lists?list=1", "uploads?upload=1"):
        assert not page(client, f"/console/{path}").all("img")
    for path in ("properties", "segments?segment=1&edit=on", "segments?segment=1", "deletions"):
        shown = page(client, f"/console/{path}")
        assert not shown.all("img")
        assert not shown.all("b")
