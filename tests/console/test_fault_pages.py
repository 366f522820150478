"""Faults: what is active, presets, a form for each kind that the control API accepts, and the rate limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from werkzeug.test import Client

from emulator.faults import PRESETS, registry
from emulator.faults.options import COMMON
from tests.console.pages import HOSTILE, Page, get, page


def test_an_active_rule_is_shown_with_what_the_api_says(client: Client) -> None:
    for fault in (
        {"fault": "status", "status": 429, "retryAfter": 30, "times": 3, "operation": "user"},
        {"fault": "reset", "applied": True, "lasts": "10m", "probability": 0.5, "email": "*@example.com"},
    ):
        assert client.post("/_emulator/faults", json=fault).status_code == 201
    first, second = client.get("/_emulator/faults").json["faults"]
    text = page(client, "/console/faults").text
    assert "Active faults (2)" in text
    for part in ("status 429, retryAfter 30", "operation user", second["until"], "applied true"):
        assert part in text
    shown = get(client, "/console/faults").text
    assert f'data-path="/_emulator/faults/{first["id"]}"' in shown
    written = yaml.safe_load(text[text.index("faults:\n") : text.index("Copy", text.index("faults:\n"))])
    assert written["faults"] == [
        {"fault": "status", "status": 429, "retryAfter": 30, "times": 3, "operation": "user"},
        {"fault": "reset", "applied": True, "lasts": "600s", "probability": 0.5, "email": "*@example.com"},
    ]


def test_hits_are_counted_and_what_had_no_effect_is_named(client: Client) -> None:
    client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    client.post("/_emulator/faults", json={"fault": "timeout", "operation": "tokenInfo"})
    client.put("/_emulator/rate-limit", json={"requests": 5})
    client.post("/graphql", json={"query": "{ user { email } }"}, headers={"authorization": "Bearer sa-local-write"})
    text = page(client, "/console/faults").text
    assert "Rule 2, timeout (applied false): operation tokenInfo" in text
    assert "Rate limit of 5 requests per 1s" in text
    assert "Rule 1," not in text


def test_each_preset_says_what_it_means_and_sends_its_fault(client: Client) -> None:
    shown = page(client, "/console/faults")
    for preset in PRESETS:
        assert all(text in shown.text for text in (preset.title, preset.meaning, preset.segment))
    bodies = [yaml.safe_load(each["value"] or "") for each in shown.all("input") if each.get("name") == "."]
    assert bodies == [dict(preset.fault) for preset in PRESETS]


@pytest.mark.parametrize("kind", registry())
def test_the_form_of_a_kind_has_its_options_and_those_of_every_rule(client: Client, kind: str) -> None:
    described = next(each for each in client.get("/_emulator/faults/kinds").json["kinds"] if each["name"] == kind)
    fields = fields_of(page(client, f"/console/faults?kind={kind}"))
    assert {*fields} == {*COMMON, *(option["name"] for option in described["options"])}
    for option in described["options"]:
        assert ("required" in fields[option["name"]]) == option["required"]


def fields_of(shown: Page) -> dict[str, Mapping[str, Any]]:
    """The fields of the form that adds a fault, by name."""
    start = next(index for index, (tag, given) in enumerate(shown.elements) if given.get("name") == "fault")
    named: dict[str, Mapping[str, Any]] = {}
    for tag, given in shown.elements[start + 1 :]:
        if tag == "button":
            return named
        if tag in ("input", "select", "textarea"):
            named[given["name"] or ""] = given
    return named


def test_an_unknown_kind_has_no_form(client: Client) -> None:
    assert "Probability" not in page(client, "/console/faults?kind=unknown").text


def test_the_rate_limit_is_that_of_the_api(client: Client) -> None:
    assert "There is none" in page(client, "/console/faults").text
    client.put("/_emulator/rate-limit", json={"requests": 10, "per": "1m", "burst": 20})
    limit = client.get("/_emulator/rate-limit").json["rateLimit"]
    text = page(client, "/console/faults").text
    assert f"{limit['requests']} requests per {limit['per']} and token, {limit['burst']} at once" in text
    assert f"rateLimit: {{requests: 10, per: {limit['per']}, burst: 20}}" in text


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_options_are_text(client: Client, value: str) -> None:
    fault = {"fault": "userErrors", "message": value, "email": value, "path": [value]}
    assert client.post("/_emulator/faults", json=fault).status_code == 201
    shown = page(client, "/console/faults")
    assert value in shown.text
    assert not shown.all("img")
