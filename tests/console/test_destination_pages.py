"""The pages of destinations: each number and choice is the control API's, each mistake is said with its fix."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from werkzeug.test import Client

from emulator.server.emulator import Emulator
from tests.console.pages import EMAIL, HOSTILE, Page, get, page, send

ACME = "StackAdapt Acme"
OF_2024 = ("3.361.0", "3.387.0")
GENERATIONS = (*OF_2024, "3.497.0", "3.517.0")


def shown(client: Client, path: str = "", **arguments: str) -> Page:
    return page(client, f"/console/destinations{path}?{urlencode({'destination': ACME, **arguments})}")


def change(client: Client, **changes: Any) -> None:
    answer = client.patch(f"/_emulator/workspace/destinations/{quote(ACME)}", json=changes)
    assert answer.status_code == 200, answer.text


def bodies(found: Page, action: str) -> list[str | None]:
    """The paths of the forms of an action."""
    return [form["data-path"] for form in found.all("form") if form.get("data-action") == action]


@pytest.fixture
def refusing() -> Iterator[Client]:
    """A destination whose generation is not for the API version: everything is delivered, and refused."""
    with Emulator() as emulator:
        client = emulator.client
        client.post("/_emulator/clock/freeze")
        client.patch("/_emulator/workspace", json={"apiVersion": "2025-05"})
        send(client, userId="ada", traits={"email": EMAIL, "total_spent": 700})
        yield client


def test_the_list_has_what_the_api_has(filled: Client) -> None:
    filled.post(
        "/_emulator/workspace/destinations",
        json={"name": "Second", "source": "Website", "enabled": False, "settings": {"apiKey": ""}, "subscriptions": []},
    )
    text = page(filled, "/console/destinations").text
    last = filled.get("/_emulator/deliveries?newest=true&limit=1").json["deliveries"][0]
    for expected in (ACME, "3.517.0", "1 of 1 enabled", "vip_customers", last["outcome"], last["reason"], "1 note"):
        assert expected in text
    for expected in ("Second", "newest", "Website", "Disabled", "0 of 0 enabled", "none yet", "1 warning"):
        assert expected in text


@pytest.mark.parametrize("words", ["StackAdapt Audience", "sync audience", "nothing"])
def test_the_catalog_is_searched(client: Client, words: str) -> None:
    found = page(client, f"/console/destinations/catalog?{urlencode({'search': words})}")
    entries = client.get("/_emulator/catalog").json["destinations"]
    by_words = {"StackAdapt Audience": entries, "sync audience": entries[:2], "nothing": []}[words]
    added = [link["href"] for link in found.all("a") if "destinations/new" in (link.get("href") or "")]
    assert added == [f"/console/destinations/new?generation={each['generation']}" for each in by_words]
    unfit = [each for each in by_words if "2026-06" not in each["apiVersions"]]
    assert found.text.count("which does not.") == len(unfit)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_mappings_are_added_by_the_titles_of_the_generation(client: Client, generation: str) -> None:
    change(client, generation=generation)
    entries = client.get("/_emulator/catalog").json["destinations"]
    entry = next(each for each in entries if each["generation"] == generation)
    found = shown(client, "/mappings", new="on")
    assert ("New Mapping" if generation in OF_2024 else "Add mapping") in found.text
    for action in entry["actions"]:
        assert action["title"] in found.text
        assert {"type": "hidden", "name": "action", "value": action["slug"]} in found.all("input")
        assert {"type": "hidden", "name": "trigger", "value": action["trigger"]} in found.all("input")
    names = [each["value"] for each in found.all("input") if each["name"] == "name" and "required" in each]
    taken = client.get(f"/_emulator/workspace/destinations/{quote(ACME)}").json["item"]["subscriptions"]
    assert not set(names) & {each["name"] for each in taken}


def test_a_mapping_is_switched_copied_and_deleted_by_its_name(client: Client) -> None:
    name = "a/b <i>"
    list_path = f"/_emulator/workspace/destinations/{quote(ACME)}/subscriptions"
    item = {"name": name, "action": "forwardAudienceEvent", "trigger": 'type = "track"', "mapping": {"email": "x"}}
    client.post(list_path, json=item)
    found = shown(client, "/mappings", delete=name)
    assert f"{list_path}/{quote(name, safe='')}" in bodies(found, "change mapping")
    assert bodies(found, "delete mapping") == [f"{list_path}/{quote(name, safe='')}"]
    names = [json.loads(each["value"] or "") for each in found.all("input") if each.get("name") == "name"]
    assert [each for each in names if each.endswith(" copy")] == ["Sync Audience copy", f"{name} copy"]
    editor = f"/console/destinations/mapping?{urlencode({'destination': ACME, 'mapping': name})}"
    assert editor in [link.get("href") for link in found.all("a")]


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "disabled": ({"enabled": False}, "is disabled", "Enable Destination"),
    "no mapping": ({"subscriptions": []}, "has no subscription", "New Mapping"),
    "no audience": ({"audiences": []}, "No audience or journey step is connected", "Add Destination"),
    "a wrong token": ({"settings": {"apiKey": "wrong"}}, "StackAdapt does not know this token", "Settings"),
    "a token that reads": ({"settings": {"apiKey": "sa-local-read"}}, "may not write", "Settings"),
    "another API version": ({"generation": "3.387.0"}, "does not take", "Use API version 2025-05"),
    "no advertiser": ({"settings": {"advertiser_id": ""}}, "No advertiser is set", "Settings"),
    "a source": ({"source": "Website"}, "rejects them all", "Set source to Engage space"),
    "a source and an audience": ({"source": "Website"}, "and to an audience", "Set source to Engage space"),
    "a trigger": (
        {"subscriptions": [{"name": "A", "action": "forwardAudienceEvent", "trigger": "type ="}]},
        "never matches",
        "Edit mapping",
    ),
}


@pytest.mark.parametrize(("changes", "message", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_said_with_its_fix(client: Client, changes: dict[str, Any], message: str, fix: str) -> None:
    change(client, **changes)
    text = get(client, f"/console/destinations?destination={quote(ACME)}").text
    rows = [html.unescape(row) for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL) if message in html.unescape(row)]
    assert rows
    assert all(fix in row for row in rows)


def test_settings_are_those_of_the_definition_and_a_missing_one_is_said(client: Client) -> None:
    found = shown(client)
    fields = {each.get("name"): each for each in found.all("input")}
    assert fields["settings/apiKey"]["type"] == "password"
    assert fields["settings/advertiser_id"]["value"] == "1001"
    choices = client.get(f"/_emulator/destinations/{quote(ACME)}/choices/advertiser_id").json["choices"]
    assert [each["value"] for each in found.all("option") if each.get("value") in ("1001", "1002")] == [
        each["value"] for each in choices
    ]
    change(client, settings={"advertiser_id": ""})
    assert "Advertiser ID is required" in shown(client).text
    change(client, generation="3.387.0")
    assert "settings/advertiser_id" not in {each.get("name") for each in shown(client).all("input")}
    assert "chosen in each mapping" in shown(client).text


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("source", ["Website", None])
def test_a_source_whose_calls_are_rejected_is_said_with_its_fix(
    client: Client, generation: str, source: str | None
) -> None:
    # As it is created: disabled, without a mapping, so that nothing is rejected yet.
    change(client, generation=generation, source=source, enabled=False, subscriptions=[], audiences=[])
    found = shown(client)
    is_rejected = source is not None and generation not in OF_2024
    assert ("rejects every one" in found.text) == is_rejected
    assert found.text.count("Set source to Engage space") == is_rejected
    if is_rejected:
        assert {"type": "hidden", "name": "source", "value": "null", "data-type": "json"} in found.all("input")


@pytest.mark.parametrize("path", ["", "/new"])
def test_the_form_knows_which_generations_reject_the_calls_of_a_source(client: Client, path: str) -> None:
    found = shown(client, path)
    engage_only = {each["value"] for each in found.all("option") if "data-engage-only" in each}
    assert engage_only - {""} == set(GENERATIONS) - set(OF_2024)
    # The newest generation, which is chosen without one.
    assert ("" in engage_only) == (path == "")
    assert "This generation rejects every call of a source" in found.text


@pytest.mark.parametrize("path", ["/console/destinations/new", "/console/debugger?add=source"])
def test_a_new_source_has_a_write_key_of_its_own(client: Client, path: str) -> None:
    keys = []
    for name in ("App", "Site", "Shop"):
        (field,) = [each for each in page(client, path).all("input") if each.get("name") == "writeKey"]
        keys.append(field["value"])
        added = client.post("/_emulator/workspace/sources", json={"name": name, "writeKey": field["value"]})
        assert added.status_code == 201
    assert len({*keys}) == 3
    assert all(keys)


def test_what_the_source_keeps_back_is_shown(client: Client) -> None:
    client.patch("/_emulator/workspace/sources/Website", json={"schema": {"track": {"unplannedEvents": "block"}}})
    change(client, source="Website")
    source = client.get("/_emulator/workspace/sources/Website").json["item"]
    found = shown(client).text
    assert "Calls of the source Website reach this destination." in found
    assert ("schema" in source) == ("Schema controls" in found)


def test_each_step_has_the_count_of_the_funnel(filled: Client) -> None:
    funnel = filled.get("/_emulator/funnel", query_string={"destination": ACME}).json
    text = get(filled, f"/console/destinations/delivery?destination={quote(ACME)}").text
    steps = re.findall(r"<strong>(\d+)</strong> <span>([^<]+)</span>", text)
    expected = [
        (str(step["count"]), step["name"])
        for name, step in funnel["steps"].items()
        if name not in ("notShown", "eventsFromSource")
    ]
    ends = [(str(end["count"]), name.capitalize()) for name, end in funnel["stackadapt"].items()]
    assert sorted(steps) == sorted([*expected, *ends])
    assert steps[0][1] == "Events from audience"


def test_a_step_has_reasons_and_samples_and_a_sample_its_attempts(refusing: Client) -> None:
    found = shown(refusing, "/delivery", step="stackadapt.refused")
    listed = refusing.get("/_emulator/deliveries?step=refused").json["deliveries"]
    assert len(listed) == 2
    assert "GRAPHQL_ERRORS" in found.text
    for each in listed:
        link = f"message={each['messageId']}"
        assert any(link in (found_link.get("href") or "") for found_link in found.all("a"))
    sample = shown(refusing, "/delivery", step="stackadapt.refused", message=listed[0]["messageId"])
    links = [link.get("href") for link in sample.all("a")]
    assert "/console/person?person=ada" in links
    assert f"/console/requests?messageId={listed[0]['messageId']}" in links
    assert f"/console/requests?trace={listed[0]['traceId']}" in links
    for text in (EMAIL, "upsertProfiles", "errors", "Segment reports delivered"):
        assert text in sample.text
    assert EMAIL not in shown(refusing, "/delivery", message=listed[0]["messageId"], mask="on").text


@pytest.mark.parametrize(
    ("arguments", "people"),
    [
        ({"step": "failedDelivery"}, {"grace"}),
        ({"step": "failedDelivery", "person": "grace"}, {"grace"}),
        ({"step": "failedDelivery", "person": "ada"}, set()),
        ({"step": "failedDelivery", "reason": "503"}, set()),
        ({"step": "successfulDelivery", "person": EMAIL}, {"ada"}),
        ({"step": "successfullyReceived"}, {"ada", "grace"}),
        ({"step": "successfullyReceived", "person": "grace"}, {"grace"}),
        ({"step": "unknown"}, None),
    ],
)
def test_samples_are_filtered_by_reason_and_person(
    filled: Client, arguments: dict[str, str], people: set[str] | None
) -> None:
    text = get(filled, f"/console/destinations/delivery?{urlencode({'destination': ACME, **arguments})}").text
    _, has_samples, rest = text.partition("The newest samples")
    assert bool(has_samples) == (people is not None)
    table = rest.partition("Dead letters")[0]
    assert set(re.findall(r"person\?person=(\w+)", table)) == (people or set())


def test_dead_letters_are_replayed_one_by_one_or_all_of_a_reason(filled: Client) -> None:
    letters = filled.get("/_emulator/dead-letters").json["deadLetters"]
    reason = letters[0]["reason"]
    found = shown(filled, "/delivery", reason=reason)
    ids = [json.loads(each["value"] or "") for each in found.all("input") if each.get("name") == "messageIds"]
    assert ids == [[each["messageId"]] for each in letters]
    assert any(each.get("name") == "reason" and each.get("value") == reason for each in found.all("input"))
    assert f"dead-letters?destination={quote(ACME)}&reason={reason}&limit=10000" in found.text
    for arguments in ({"reason": "503"}, {"person": "ada"}, {"person": EMAIL}):
        assert "There is no dead letter." in shown(filled, "/delivery", **arguments).text
    assert "There is no dead letter." not in shown(filled, "/delivery", person="grace").text


def test_batches_are_paged(client: Client) -> None:
    change(client, batch={"size": 1})
    for number in range(15):
        send(client, userId=f"u{number}", traits={"email": f"u{number}@example.com", "total_spent": 700})
    found = shown(client, "/delivery")
    links = [link["href"] for link in found.all("a") if link.get("rel") == "next"]
    assert [re.search(r"batches=\d+", link or "") is not None for link in links] == [True]
    assert "Back" in page(client, links[0] or "").text


def test_a_filter_is_shown_in_words_and_tried(client: Client) -> None:
    path = f"/_emulator/workspace/destinations/{quote(ACME)}/filters"
    actions: list[dict[str, Any]] = [
        {"type": "DROP"},
        {"type": "SAMPLE", "percent": 0.25, "path": "userId"},
        {"type": "DROP_PROPERTIES", "fields": {"traits": ["phone"]}},
        {"type": "ALLOW_PROPERTIES", "fields": {"traits": ["email"]}},
    ]
    for number, action in enumerate(actions):
        condition = "type = 'track'" if action["type"] == "DROP" else "type = 'identify'"
        item = {"title": f"f{number}", "if": condition, "actions": [action], "enabled": number != 1}
        assert client.post(path, json=item).status_code == 201
    change(client, enabled=False, subscriptions=[])
    text = shown(client, "/filters", filter="f2").text
    for expected in ("drop the event", "keep 25% of the events", "remove traits: phone", "keep only traits: email"):
        assert expected in text
    event = {"type": "identify", "userId": "u", "traits": {"email": EMAIL, "phone": "1", "plan": "gold"}}
    tried = shown(client, "/filters", event=json.dumps(event)).text
    assert "The event goes on to the triggers." in tried
    assert "traits.phone" in tried
    dropped = shown(client, "/filters", event=json.dumps({"type": "track", "event": "x"})).text
    assert "The event is stopped" in dropped
    assert "drops the event" in dropped


@pytest.mark.parametrize("event", ["{", "[]", "1", '"x"', "null", '{"type": 7}', "[" * 5000])
def test_an_event_that_cannot_be_tried_is_said(client: Client, event: str) -> None:
    assert "Try an event" in shown(client, "/filters", event=event).text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(client: Client, name: str) -> None:
    item = {
        "name": name,
        "settings": {"apiKey": name, "advertiser_id": name},
        "filters": [{"title": name[:64], "if": name[:5000], "actions": [{"type": "DROP"}]}],
        "subscriptions": [{"name": name, "action": name, "trigger": name}],
    }
    added = client.post("/_emulator/workspace/destinations", json=item)
    assert added.status_code in (201, 400), added.text
    for path in ("", "/new", "/mappings", "/filters", "/delivery"):
        for arguments in ({"destination": name, "delete": name, "filter": name[:64]}, {}):
            response = client.get(
                f"/console/destinations{path}", query_string=arguments, headers={"Accept": "text/html"}
            )
            assert response.status_code in (200, 404)
            found = Page(response.text)
            assert not found.all("img")
            assert all((script.get("src") or "").startswith("/console/static/") for script in found.all("script"))


STEPS = (
    "Source and name",
    "Enter the settings and test the connection",
    "Enable Destination, Save Changes",
    "Add a mapping and enable it",
    "Add the destination to an audience",
)
WRITES = {"apiKey": "sa-local-write", "advertiser_id": "1001"}
OFF = {"name": "A", "action": "forwardAudienceEvent", "trigger": 'type = "track"', "enabled": False}
# What the new destination has, and the numbers of the steps that are done.
DONE: dict[str, tuple[dict[str, Any], set[int]]] = {
    "created": ({}, {0}),
    "no advertiser": ({"settings": {"apiKey": "sa-local-write", "advertiser_id": ""}}, {0}),
    "unknown token": ({"settings": {**WRITES, "apiKey": "wrong"}}, {0}),
    "a token that only reads": ({"settings": {**WRITES, "apiKey": "sa-local-read"}}, {0}),
    "another advertiser": ({"settings": {**WRITES, "advertiser_id": "9"}}, {0}),
    "settings": ({"settings": WRITES}, {0, 1}),
    "settings of 2024": ({"settings": {"apiKey": "sa-local-write"}, "generation": "3.387.0"}, {0, 1}),
    "enabled": ({"enabled": True}, {0, 2}),
    "mapping that is disabled": ({"subscriptions": [OFF]}, {0}),
    "mapping": ({"subscriptions": [{**OFF, "enabled": True}]}, {0, 3}),
    "audience": ({"audiences": [{"key": "vip_customers"}]}, {0, 4}),
}


@pytest.mark.parametrize(("has", "done"), DONE.values(), ids=DONE)
def test_the_steps_of_a_new_destination_are_ticked_when_they_are_done(
    client: Client, has: dict[str, Any], done: set[int]
) -> None:
    item = {"name": "New", "enabled": False, "settings": {"apiKey": ""}, "subscriptions": [], "audiences": [], **has}
    assert client.post("/_emulator/workspace/destinations", json=item).status_code == 201
    html = get(client, "/console/destinations?destination=New&new=on").text
    shown = html[html.index('<ol class="progress">') :].partition("</ol>")[0]
    steps = [Page(each).text for each in shown.split("</li>") if "<li" in each]
    assert steps == [f"{'✓ ' if number in done else ''}{step}" for number, step in enumerate(STEPS)]
    assert "progress" not in get(client, "/console/destinations?destination=New").text
