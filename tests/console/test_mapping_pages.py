"""The form of a mapping as HTML: what it shows of the control API, and what it would save."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from emulator.mapping import generations
from emulator.server.emulator import Emulator
from tests.console.pages import HOSTILE, Page, get, page, send
from tests.console.test_segment_pages import buttons, press
from tests.server.test_mapping_drafts import opened

ACME = "StackAdapt Acme"
SYNC = "Sync Audience"


def form(destination: str = ACME, mapping: str = SYNC, **more: str) -> str:
    given = {"destination": destination, "mapping": mapping, **more}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items())
    return f"/console/destinations/mapping?{query}"


def text_of(html: str, name: str) -> str:
    """What a field of several lines has."""
    start = html.index(f'id="{name}"')
    return Page(html[html.index(">", start) + 1 : html.index("</textarea>", start)]).text


@pytest.fixture
def in_2024() -> Iterator[Emulator]:
    with opened(generation="3.387.0", settings={"apiKey": "sa-local-write"}) as emulator:
        yield emulator


@pytest.mark.parametrize("generation", generations())
def test_every_field_of_the_action_is_shown_with_what_the_definition_says(generation: str) -> None:
    with opened(generation=generation) as emulator:
        fields = emulator.client.get(f"/_emulator/destinations/{quote(ACME)}/fields").json
        html = get(emulator.client, form()).text
    shown = {each["data-path"]: each for each in Page(html).all("li") if "data-path" in each}
    (action,) = (each for each in fields["actions"] if each["slug"] == "forwardAudienceEvent")
    for field in action["fields"]:
        row = shown[field["path"]]
        assert ("data-required" in row) == field["required"]
        assert json.loads(row["data-choices"] or "") == field["choices"]
        assert json.loads(row["data-default"] or "") == field["default"]
        assert all(each["path"] in shown for each in field["properties"] if not field["multiple"])
    text = Page(html).text
    assert all(field["label"] in text and (field["help"] or "") in text for field in action["fields"])
    in_mapping = fields["advertiserFrom"] == "mapping"
    assert ("The advertiser of this generation is in Settings." in text) == (not in_mapping)
    assert (next(iter(shown)) == "advertiser_id") == in_mapping
    assert ("Test Mapping" in text, "Send test record" in text) == (in_mapping, not in_mapping)


def test_the_form_saves_the_mapping_at_its_name_and_follows_a_new_one(client: Client) -> None:
    saved = next(each for each in page(client, form()).all("form") if each.get("id") == "save")
    assert saved["data-method"] == "PUT"
    assert saved["data-path"] == "/_emulator/workspace/destinations/StackAdapt%20Acme/subscriptions/Sync%20Audience"
    assert (saved["data-next"] or "").endswith("&mapping={item/name}")
    item = client.get(saved["data-path"] or "").json["item"]
    html = get(client, form()).text
    assert text_of(html, "trigger") == item["trigger"]
    assert json.loads(text_of(html, "json")) == item["mapping"]


def test_a_disabled_mapping_says_so_after_it_was_saved(client: Client) -> None:
    path = f"/_emulator/workspace/destinations/{quote(ACME)}/subscriptions/{quote(SYNC)}"
    assert "Saved." in page(client, form(saved="on")).text
    assert client.patch(path, json={"enabled": False}).status_code == 200
    shown = page(client, form(saved="on"))
    assert "✓ Saved." in shown.text
    assert "This mapping is disabled: nothing is sent." in shown.text
    assert "Enable it" in shown.text
    switch = next(each for each in shown.all("form") if each.get("data-action") == "switch mapping")
    assert switch["data-path"] == path
    assert {"name": "enabled", "value": "true"}.items() <= next(
        each for each in shown.all("input") if each.get("name") == "enabled" and each.get("type") == "hidden"
    ).items()


def test_recent_events_can_be_chosen_and_one_is_preselected(filled: Client) -> None:
    delivery = filled.get("/_emulator/deliveries?limit=1").json["deliveries"][0]
    call = filled.get("/_emulator/calls?limit=1&content=true").json["calls"][0]
    for message, event in ((delivery["messageId"], delivery["payload"]), (call["messageId"], call["content"])):
        html = get(filled, form(event=message)).text
        assert json.loads(text_of(html, "event")) == event
        assert [each for each in Page(html).all("option") if each.get("value") == message and "selected" in each]
    assert "the message id unknown-message" in page(filled, form(event="unknown-message")).text


def test_without_a_name_all_mappings_are_listed(client: Client) -> None:
    shown = page(client, "/console/destinations/mapping")
    assert any("mapping=Sync+Audience" in (link.get("href") or "") for link in shown.all("a"))


def test_masked_it_shows_nothing_to_edit(filled: Client) -> None:
    shown = page(filled, form(mask="on"))
    assert not shown.all("textarea")
    assert "Show personal data to edit" in shown.text


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_names_and_values_are_text_and_not_cut(value: str) -> None:
    mapping: dict[str, Any] = {"user_id": value, value: {"@path": value}}
    with opened(name=value) as emulator:
        path = f"/_emulator/workspace/destinations/{quote(value, safe='')}/subscriptions"
        item = {
            "name": value,
            "action": "forwardAudienceEvent",
            "trigger": f'event = "{value}"' * 3,
            "mapping": mapping,
        }
        assert emulator.client.post(path, json=item).status_code == 201
        send(emulator.client, userId=value[:200], traits={"email": "a@example.com", "first_name": value})
        html = get(emulator.client, form(value, value)).text
    shown = Page(html)
    assert text_of(html, "trigger") == item["trigger"]
    assert json.loads(text_of(html, "json")) == mapping
    assert all((script.get("src") or "").startswith("/console/static/") for script in shown.all("script"))
    assert not shown.all("img")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_errors_of_a_mapping_are_at_the_top_and_lead_to_its_fields(client: Client, enabled: bool) -> None:
    path = f"/_emulator/workspace/destinations/{quote(ACME)}/subscriptions/{quote(SYNC)}"
    assert 'id="errors"' not in get(client, form()).text
    assert client.patch(path, json={"enabled": enabled, "mapping": {"marketing_status": None}}).status_code == 200
    html = get(client, form()).text
    top = html[html.index('id="errors"') : html.index('id="trigger-step"')]
    assert "is not mapped." in top
    assert "#field-marketing_status" in top
    assert 'id="field-marketing_status"' in html
    assert ("Enabled, but with 1 error:" in top) == enabled


def test_people_whom_a_mapping_refused_are_sent_again_after_it_is_saved(client: Client) -> None:
    path = f"/_emulator/workspace/destinations/{quote(ACME)}/subscriptions/{quote(SYNC)}"
    client.patch(path, json={"mapping": {"marketing_status": None}})
    for user in ("ada", "grace"):
        send(client, userId=user, traits={"email": f"{user}@example.com", "total_spent": 700})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    saved, again = form(saved="on"), "Send them again"
    assert again not in buttons(get(client, form()).text)
    press(client, buttons(get(client, saved).text)["Use Opted-in"])
    assert "2 people were refused before." in page(client, saved).text
    client.patch(path, json={"enabled": False})
    assert again not in buttons(get(client, saved).text)
    client.patch(path, json={"enabled": True})
    press(client, buttons(get(client, saved).text)[again])
    client.post("/_emulator/clock/advance", json={"hours": 5})
    assert len(client.get("/_emulator/profiles").json["profiles"]) == 2
    assert again not in buttons(get(client, saved).text)


def test_people_whom_another_mapping_refused_are_left(client: Client) -> None:
    destination = f"/_emulator/workspace/destinations/{quote(ACME)}"
    [own] = client.get(destination).json["item"]["subscriptions"]
    client.patch(destination, json={"subscriptions": [{**own, "name": "Other", "mapping": {}}, own]})
    send(client, userId="ada", traits={"email": "ada@example.com", "total_spent": 700})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    assert "1 person was refused before." in page(client, form(mapping="Other", saved="on")).text
    assert "refused before" not in page(client, form(saved="on")).text
