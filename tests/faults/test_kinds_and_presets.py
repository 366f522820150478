"""What the control API lists for forms: the kinds of faults, and presets that do what they say."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import Client

from emulator.clock import Clock
from emulator.errors import InputError
from emulator.faults import PRESETS, Faults, RequestSummary, parse_definition, parse_header, registry
from emulator.faults.presets import Preset
from emulator.harness.why import active_faults
from emulator.ids import Ids
from emulator.server.emulator import Emulator

QUERY = RequestSummary(operations=("user",))
TEN_MINUTES = timedelta(minutes=10)
START = datetime(2026, 6, 14, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator.client


@pytest.fixture
def clock() -> Clock:
    return Clock(frozen_at=START)


@pytest.mark.parametrize("document", [{"times": 5}, {}, {"email": "*"}], ids=str)
def test_a_rule_ends_by_the_clock_of_the_sandbox(clock: Clock, document: dict[str, object]) -> None:
    rules = Faults(Ids(1), clock=clock)
    rules.add({"fault": "status", "status": 503, "lasts": "10m", **document})
    request = RequestSummary(operations=("user",), emails=("ada@example.com",))
    clock.advance(TEN_MINUTES - timedelta(seconds=1))
    assert rules.match(request, trace_id="t").names == ("status",)
    assert rules.rules()[0].as_dict()["until"] == "2026-06-14T12:10:00.000Z"
    clock.advance(timedelta(seconds=1))
    assert rules.match(request, trace_id="t").names == ()
    assert rules.rules() == ()


def test_a_rule_that_ended_without_a_match_is_unused(clock: Clock) -> None:
    rules = Faults(Ids(1), [{"fault": "reset", "lasts": "10m"}], clock=clock)
    rules.add({"fault": "timeout", "lasts": "20m"})
    rules.add({"fault": "timeout"})
    clock.advance(TEN_MINUTES)
    rules.match(QUERY, trace_id="t")
    clock.advance(TEN_MINUTES)
    assert [rule.id for rule in rules.unused()] == [1]
    rules.reset()
    assert [rule.as_dict()["until"] for rule in rules.rules()] == ["2026-06-14T12:30:00.000Z"]


@pytest.mark.parametrize("lasts", ["0s", "soon", 10, True, "", ["10m"], "40000d"])
def test_a_duration_that_cannot_be_used_is_refused_with_its_place(lasts: object) -> None:
    with pytest.raises(InputError) as raised:
        parse_definition({"fault": "reset", "lasts": lasts})
    assert raised.value.where == "lasts"


def test_the_header_takes_no_duration() -> None:
    with pytest.raises(InputError, match="one request only"):
        parse_header('{"fault": "reset", "lasts": "10m"}', ())


def test_a_trial_has_what_is_left_of_the_time() -> None:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        emulator.client.post("/_emulator/faults", json={"fault": "reset", "lasts": "10m"})
        emulator.client.post("/_emulator/clock/advance", json={"minutes": 4})
        services = emulator.sandboxes.services("default")
        assert [each["lasts"] for each in active_faults(services)] == ["6m"]


def test_the_kinds_are_those_of_the_registry_and_their_options_are_accepted(client: Client) -> None:
    kinds = client.get("/_emulator/faults/kinds").json["kinds"]
    assert [kind["name"] for kind in kinds] == [*registry()]
    for kind in kinds:
        assert kind["description"]
        given = {
            option["name"]: option["least"] if option["required"] else option["default"]
            for option in kind["options"]
            if option["required"] or option["default"] is not None
        }
        assert client.post("/_emulator/faults", json={"fault": kind["name"], **given}).status_code == 201


def test_presets_have_names_of_their_own() -> None:
    assert all(count == 1 for count in Counter(preset.name for preset in PRESETS).values())
    assert all(preset.meaning.endswith(".") and preset.segment.endswith(".") for preset in PRESETS)


# Deliveries of two people by their outcome, what Segment reports, requests that StackAdapt processed, and profiles
# that are visible in the end.
EFFECTS = {
    "down": ("sent", "delivered", 1, 2),
    "downTooLong": ("failed", "failed", 0, 0),
    "answerLost": ("sent", "delivered", 2, 2),
    "tooManyRequests": ("sent", "delivered", 1, 2),
    "slow": ("sent", "delivered", 1, 2),
    "noAnswer": ("sent", "delivered", 1, 2),
    "halfRefused": ("sent", "delivered", 1, 2),
    "userErrors": ("failed", "delivered", 0, 0),
    "maintenancePage": ("failed", "delivered", 0, 0),
}


def batch(client: Client) -> None:
    """Two people who enter an audience with one batch."""
    headers = {"Authorization": "Basic " + b64encode(b"segment-local:").decode()}
    people = [
        {
            "type": "identify",
            "userId": user,
            "traits": {"email": f"{user}@example.com", "total_spent": 700},
        }
        for user in ("ada", "grace")
    ]
    assert client.post("/v1/batch", json={"batch": people}, headers=headers).status_code == 200


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_does_what_it_says(client: Client, preset: Preset) -> None:
    shown = {each["name"]: each for each in client.get("/_emulator/faults/kinds").json["presets"]}
    chosen = shown[preset.name]
    assert client.post("/_emulator/faults", json=chosen["fault"]).status_code == 201
    batch(client)
    client.post("/_emulator/clock/advance", json={"hours": 9})
    outcome, reported, processed, visible = EFFECTS[chosen["name"]]
    deliveries = client.get("/_emulator/deliveries").json["deliveries"]
    assert {each["outcome"] for each in deliveries} == {outcome}
    assert {each["segmentReports"] for each in deliveries} == {reported}
    records = client.get("/_emulator/records").json["records"]
    injected = [each for each in records if each["reason"] == "INJECTED"]
    assert len(injected) == (len(records) // 2 if chosen["name"] == "halfRefused" else 0)
    assert len({each["requestId"] for each in records}) == processed
    assert len(client.get("/_emulator/profiles").json["profiles"]) == visible
    assert client.get("/_emulator/faults/unused").json["faults"] == []
