"""The funnel: every call, event and delivery is at one step, with a reason where it stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import Emulator, load_workspace
from emulator.artefacts import contract
from emulator.clock import Clock
from emulator.errors import ContractViolation, InputError, NotFound
from emulator.harness.funnel import STOPS, check_balance, codes, funnel, imbalances
from emulator.harness.pipeline_stages import failed_in_mapping
from emulator.segment import Segment
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = "StackAdapt Acme"
PACKAGE = Path(__file__).resolve().parent.parent.parent / "emulator"


def emulator_of(change: Callable[[Workspace], Workspace] = lambda workspace: workspace) -> Emulator:
    return Emulator(change(replace(load_workspace(), seed=1)), clock=Clock(frozen_at=NOON))


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with emulator_of() as emulator:
        yield emulator


def destination(workspace: Workspace, **changes: Any) -> Workspace:
    return replace(workspace, destinations=(replace(workspace.destinations[0], **changes),))


def person(user: str, **traits: Any) -> dict[str, Any]:
    return {"userId": user, "messageId": f"m-{user}", "traits": {"total_spent": 900, **traits}}


def identify(segment: Segment, *calls: dict[str, Any]) -> None:
    for call in calls:
        segment.ingest("identify", call)


def balanced(emulator: Emulator, **asked: Any) -> dict[str, Any]:
    found = funnel(emulator.services, **asked)
    check_balance(found)
    assert found["imbalances"] == []
    check_stages(found)
    if "since" not in asked:
        assert_listed(emulator.segment, found, **asked)
    return found


def check_stages(found: dict[str, Any]) -> None:
    """What gets to a stage is what got to the one before, without what was lost on the way."""
    stages = {stage["name"]: stage for stage in found["pipeline"]}
    lost = {name: sum(loss["count"] for loss in stage["losses"]) for name, stage in stages.items()}
    count = {name: stage["count"] for name, stage in stages.items()}
    assert count["Let through"] == count["Received"] - lost["Let through"]
    assert count["Triggered"] == found["totals"]["deliveries"] - lost["Triggered"]
    assert count["Mapped"] == count["Triggered"] - lost["Mapped"]
    assert count["Accepted"] == count["Mapped"] - lost["Accepted"]
    assert count["Visible"] == count["Accepted"] - lost["Visible"] + found["totals"]["recordsWithoutEvent"]


def assert_listed(segment: Segment, found: dict[str, Any], **asked: Any) -> None:
    """Each number of deliveries is that of the list with the same step and reason, in either order."""
    assert segment.batches(newest=True, limit=10_000, **asked) == segment.batches(limit=10_000, **asked)[::-1]
    of_deliveries = {name: step for name, step in found["steps"].items() if step["counts"] == "deliveries"}
    for name, step in {**of_deliveries, "refused": found["stackadapt"]["refused"]}.items():
        listed = segment.deliveries(step=name, limit=10_000, **asked)
        assert len(listed) == step["count"], name
        assert segment.deliveries(step=name, newest=True, limit=10_000, **asked) == listed[::-1]
        if name == "successfulDelivery":
            continue
        for each in step["reasons"]:
            of_reason = segment.deliveries(step=name, reason=each["code"], limit=10_000, **asked)
            assert len(of_reason) == each["count"]
            assert {delivery["reason"] for delivery in of_reason} == {each["code"]}


def reasons(content: dict[str, Any]) -> dict[str, int]:
    return {reason["code"]: reason["count"] for reason in content["reasons"]}


def counts(parts: dict[str, Any]) -> dict[str, int]:
    return {name: content["count"] for name, content in parts.items() if content["count"]}


def test_an_emulator_without_calls_has_an_empty_funnel(emulator: Emulator) -> None:
    found = balanced(emulator)
    assert counts(found["steps"]) == counts(found["stackadapt"]) == {}
    assert (found["since"], found["destination"], found["complete"]) == (None, None, True)


def test_calls_that_failed_on_ingest_have_segment_s_codes(emulator: Emulator) -> None:
    emulator.segment.ingest("identify", {"traits": {}})
    emulator.segment.ingest("track", {"userId": "u1"})
    identify(emulator.segment, person("u1"), person("u1"))
    emulator.client.post("/v1/identify", json={"userId": "u1"}, auth=("wrong", ""))
    emulator.segment.regulate("SUPPRESS_ONLY", ["u9"])
    identify(emulator.segment, person("u9"))
    found = balanced(emulator)
    assert reasons(found["steps"]["failedOnIngest"]) == {
        "no_user_anon_id": 1,
        "event_not_defined": 1,
        "duplicate": 1,
        "unknown_source": 1,
    }
    assert reasons(found["steps"]["notShown"]) == {"USER_SUPPRESSED": 1}
    assert (found["totals"]["calls"], found["totals"]["accepted"]) == (6, 1)
    [sample] = found["steps"]["notShown"]["samples"]
    assert (sample["messageId"], sample["userId"], sample["reason"]) == ("m-u9", "u9", "USER_SUPPRESSED")


def test_a_disabled_source_fails_on_ingest() -> None:
    def off(workspace: Workspace) -> Workspace:
        return replace(workspace, sources=(replace(workspace.sources[0], enabled=False),))

    with emulator_of(off) as emulator:
        identify(emulator.segment, person("u1"))
        assert reasons(balanced(emulator)["steps"]["failedOnIngest"]) == {"SOURCE_DISABLED": 1}


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"enabled": False}, "DESTINATION_DISABLED"), ({"subscriptions": ()}, "NO_SUBSCRIPTION")],
)
def test_what_a_switch_keeps_back_is_filtered_at_the_destination(changes: dict[str, Any], code: str) -> None:
    with emulator_of(lambda workspace: destination(workspace, **changes)) as emulator:
        identify(emulator.segment, person("u1", email="u1@example.com"))
        found = balanced(emulator)
        assert reasons(found["steps"]["filteredAtDestination"]) == {code: 2}
        assert counts(found["stackadapt"]) == {}


def test_what_the_trigger_does_not_match_is_filtered_at_the_destination() -> None:
    def never(workspace: Workspace) -> Workspace:
        first = workspace.destinations[0].subscriptions[0]
        return destination(workspace, subscriptions=(replace(first, trigger='type = "page"'),))

    with emulator_of(never) as emulator:
        identify(emulator.segment, person("u1", email="u1@example.com"))
        assert reasons(balanced(emulator)["steps"]["filteredAtDestination"]) == {"NO_MATCHING_MAPPING": 2}


def test_what_the_mapping_refuses_is_a_failed_delivery(emulator: Emulator) -> None:
    identify(emulator.segment, person("u1"))
    step = balanced(emulator)["steps"]["failedDelivery"]
    assert reasons(step) == {"PAYLOAD_VALIDATION_FAILED": 2}
    assert {sample["userId"] for sample in step["samples"]} == {"u1"}
    assert "email" in step["samples"][0]["message"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("PAYLOAD_VALIDATION_FAILED", True),
        ("EVENT_MISSING", True),
        ("TypeError", True),
        ("500", False),
        ("429", False),
        ("ECONNRESET", False),
    ],
)
def test_a_failed_delivery_is_lost_in_the_mapping_or_with_the_request(code: str, expected: bool) -> None:
    assert failed_in_mapping(code) is expected


def test_the_stages_name_what_is_lost(emulator: Emulator) -> None:
    emulator.sandbox.faults.add({"fault": "status", "status": 403, "operation": "upsertProfiles", "times": 1})
    identify(emulator.segment, person("u1"), person("u2", email="u2@example.com"))
    found = balanced(emulator)
    losses = {stage["name"]: [(loss["name"], reasons(loss)) for loss in stage["losses"]] for stage in found["pipeline"]}
    assert losses["Mapped"] == [("Refused by the mapping", {"PAYLOAD_VALIDATION_FAILED": 2})]
    assert losses["Accepted"] == [("Request failed", {"403": 2})]
    assert [losses[name] for name in ("Received", "Let through", "From audiences", "Triggered", "Visible")] == [[]] * 5


def test_a_refusal_with_status_200_is_delivered_according_to_segment(emulator: Emulator) -> None:
    emulator.sandbox.faults.add({"fault": "userErrors", "operation": "upsertProfiles"})
    identify(emulator.segment, person("u1", email="u1@example.com"))
    found = balanced(emulator)
    assert counts(found["steps"])["successfulDelivery"] == 2
    assert found["stackadapt"]["refused"]["count"] == 2
    assert reasons(found["stackadapt"]["refused"]) == {"USER_ERRORS": 2}
    assert {sample["userId"] for sample in found["stackadapt"]["refused"]["samples"]} == {"u1"}


def test_what_is_retried_waits_and_at_last_fails(emulator: Emulator) -> None:
    emulator.sandbox.faults.add({"fault": "status", "status": 503})
    identify(emulator.segment, person("u1", email="u1@example.com"))
    assert reasons(balanced(emulator)["steps"]["pendingRetry"]) == {"503": 2}
    emulator.services.advance(timedelta(hours=5))
    step = balanced(emulator)["steps"]["failedDelivery"]
    assert reasons(step) == {"503": 2}
    assert step["reasons"][0]["meaning"] == "The response had the status 503."


def test_what_is_not_sent_yet_is_queued() -> None:
    with emulator_of(
        lambda workspace: destination(workspace, batch_size=100, batch_age=timedelta(minutes=1))
    ) as emulator:
        identify(emulator.segment, person("u1", email="u1@example.com"))
        assert counts(balanced(emulator)["steps"])["queued"] == 2


def test_records_end_in_the_funnel_as_stackadapt_has_them() -> None:
    def slow(workspace: Workspace) -> Workspace:
        return replace(workspace, ingestion=replace(workspace.ingestion, latency="1h"))

    with emulator_of(slow) as emulator:
        identify(emulator.segment, person("u1", email="u1@example.com"), person("u2", email=f"{'a' * 250}@example.com"))
        assert counts(balanced(emulator)["stackadapt"]) == {"queued": 4}
        emulator.services.advance(timedelta(hours=1))
        found = balanced(emulator)
        assert counts(found["stackadapt"]) == {"visible": 2, "rejected": 2}
        assert reasons(found["stackadapt"]["rejected"]) == {"INVALID_EMAIL": 2}
        sample = found["stackadapt"]["rejected"]["samples"][0]
        assert (sample["userId"], sample["reason"]) == ("u2", "INVALID_EMAIL")
        assert sample["messageId"].startswith("personas_")


def test_a_deleted_user_leaves_records_without_an_event() -> None:
    with emulator_of(
        lambda workspace: destination(workspace, batch_size=100, batch_age=timedelta(minutes=1))
    ) as emulator:
        identify(emulator.segment, person("u1", email="u1@example.com"), person("u2", email="u2@example.com"))
        emulator.services.advance(timedelta(minutes=1))
        emulator.segment.delete("u1")
        found = balanced(emulator)
        assert (found["totals"]["deliveries"], found["totals"]["recordsWithoutEvent"]) == (2, 2)
        assert sum(counts(found["stackadapt"]).values()) == 4


def test_a_replayed_dead_letter_is_counted_once(emulator: Emulator) -> None:
    emulator.sandbox.faults.add({"fault": "userErrors", "operation": "upsertProfiles", "times": 1})
    identify(emulator.segment, person("u1", email="u1@example.com"))
    emulator.segment.replay()
    found = balanced(emulator)
    assert counts(found["stackadapt"]) == {"visible": 2}


def test_records_of_other_clients_are_not_in_the_funnel(emulator: Emulator) -> None:
    query = (
        'mutation { upsertProfiles(input: {advertiserId: "1001", externalProvider: "segment_io", '
        'profiles: "[{\\"email\\": \\"x@example.com\\"}]"}) { userErrors { message } } }'
    )
    emulator.client.post("/graphql", json={"query": query}, headers={"authorization": "Bearer sa-local-write"})
    assert counts(balanced(emulator)["stackadapt"]) == {}


def test_since_counts_what_came_from_then_on(emulator: Emulator) -> None:
    identify(emulator.segment, person("u1", email="u1@example.com"))
    emulator.services.advance(timedelta(hours=2))
    identify(emulator.segment, person("u2", email="u2@example.com"))
    for since in ("1h", "2026-03-01T13:00:00Z"):
        found = balanced(emulator, since=since)
        assert found["since"] == "2026-03-01T13:00:00.000Z"
        assert (found["totals"]["calls"], found["totals"]["deliveries"], found["complete"]) == (1, 2, True)
    assert balanced(emulator, since="1d")["totals"]["calls"] == 2


def test_calls_that_are_no_longer_known_make_the_funnel_incomplete(emulator: Emulator) -> None:
    identify(emulator.segment, person("u1", email="u1@example.com"))
    emulator.sandbox.journal.clear()
    assert balanced(emulator)["totals"]["calls"] == 1
    assert balanced(emulator, since="1h")["complete"] is False


def test_one_destination_instance_has_its_own_deliveries(emulator: Emulator) -> None:
    identify(emulator.segment, person("u1", email="u1@example.com"))
    assert balanced(emulator, destination=ACME)["totals"]["deliveries"] == 2


def test_ten_samples_of_a_step_are_shown_the_newest_first(emulator: Emulator) -> None:
    identify(emulator.segment, *(person(f"u{number}") for number in range(12)))
    for step in ("successfullyReceived", "failedDelivery"):
        samples = balanced(emulator)["steps"][step]["samples"]
        assert len(samples) == 10
        assert samples[0]["userId"] == "u11"


@pytest.mark.parametrize("since", ["", "yesterday", "1 fortnight", "2026-13-01", "-1h", "0001-01-01T00:00:00+23:59"])
def test_a_wrong_time_is_refused(emulator: Emulator, since: str) -> None:
    with pytest.raises(InputError) as refused:
        funnel(emulator.services, since=since)
    assert refused.value.where == "since"


@pytest.mark.parametrize("name", ["", "stackadapt acme", "../x", "Zoë/😀", "'; drop table x; --"])
def test_an_unknown_destination_instance_is_refused(emulator: Emulator, name: str) -> None:
    with pytest.raises(NotFound):
        funnel(emulator.services, destination=name)
    response = emulator.client.get("/_emulator/funnel", query_string={"destination": name})
    assert (response.status_code, response.get_json()["where"]) == (404, "destination")


def test_the_route_and_the_function_agree(emulator: Emulator) -> None:
    identify(emulator.segment, person("u1", email="u1@example.com"), person("u2"))
    response = emulator.client.get("/_emulator/funnel", query_string={"destination": ACME})
    assert response.get_json() == json.loads(json.dumps(funnel(emulator.services, destination=ACME)))


def pipeline(change: Callable[[dict[str, Any]], Any]) -> Emulator:
    """An emulator whose workspace was changed in its JSON form."""
    document = document_of(replace(load_workspace(), seed=1))
    change(document)
    return Emulator(parse_workspace(document), clock=Clock(frozen_at=NOON))


def filtered(document: dict[str, Any]) -> None:
    drop = {"title": "No tracks", "if": "type = 'track'", "actions": [{"type": "DROP"}]}
    document["destinations"][0]["filters"] = [drop]


def connected(document: dict[str, Any]) -> None:
    document["destinations"][0].update(source=document["sources"][0]["name"], audiences=[])


def with_consent(document: dict[str, Any]) -> None:
    connected(document)
    document["destinations"][0]["consent"] = {"categories": ["Advertising"]}


def unplanned(document: dict[str, Any]) -> None:
    document["sources"][0]["schema"] = {"track": {"allowUnplannedEvents": False}}
    document["sources"][0]["trackingPlan"] = "Shop"
    document["trackingPlans"] = [{"name": "Shop", "rules": []}]


CALL = {"userId": "u1", "messageId": "m1", "traits": {"email": "u1@example.com", "total_spent": 900}}
TRACK = {"userId": "u1", "messageId": "m2", "event": "Signed Up"}
STOPPED: list[tuple[str, Callable[[dict[str, Any]], Any], str, dict[str, Any], str, str]] = [
    ("filter", filtered, "identify", CALL, "filteredAtDestination", "FILTERED_BY_RULES"),
    (
        "integrations object",
        connected,
        "identify",
        {**CALL, "integrations": {"All": False}},
        "filteredAtDestination",
        "FILTERED_BY_INTEGRATIONS_OBJECT",
    ),
    (
        "consent",
        with_consent,
        "identify",
        {**CALL, "context": {"consent": {"categoryPreferences": {"Advertising": False}}}},
        "filteredAtDestination",
        "FILTERED_BY_END_USER_CONSENT",
    ),
    ("tracking plan", unplanned, "track", TRACK, "filteredAtSource", "unplanned"),
]


@pytest.mark.parametrize(
    ("change", "route", "body", "step", "code"), [case[1:] for case in STOPPED], ids=[case[0] for case in STOPPED]
)
def test_what_the_pipeline_stops_is_at_its_step(
    change: Callable[[dict[str, Any]], Any], route: str, body: dict[str, Any], step: str, code: str
) -> None:
    with pipeline(change) as emulator:
        emulator.segment.ingest(route, body)
        for since in (None, "1h"):
            found = balanced(emulator, since=since)["steps"][step]
            assert reasons(found) == {code: 1}
            assert [sample["reason"] for sample in found["samples"]] == [code]
            assert found["reasons"][0]["meaning"] != f"The mapping engine failed with {code}."


@pytest.mark.parametrize("message_id", ["m1", 'a"b', "back\\slash", "Zoë 😀", "line\nbreak"])
def test_calls_of_a_source_are_events_of_their_own_step(message_id: str) -> None:
    with pipeline(connected) as emulator:
        emulator.segment.ingest("identify", {**CALL, "messageId": message_id})
        found = balanced(emulator)
        assert counts(found["steps"])["eventsFromSource"] == 1
        assert [each["messageId"] for each in found["steps"]["failedDelivery"]["samples"]] == [message_id]


CHANGES: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("call", lambda found: found["totals"].update(calls=7), "calls received"),
    ("accepted", lambda found: found["totals"].update(accepted=7), "calls successfully received"),
    ("event", lambda found: found["totals"].update(eventsWithoutDelivery=1), "1 events have no delivery"),
    ("delivery", lambda found: found["totals"].update(deliveries=7), "deliveries"),
    ("record", lambda found: found["stackadapt"]["visible"].update(count=7), "successful deliveries"),
    ("reason", lambda found: found["steps"]["failedDelivery"].update(reasons=[]), "failedDelivery: 2 are counted"),
]


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_an_equation_that_does_not_hold_is_found(
    emulator: Emulator, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    identify(emulator.segment, person("u1", email="u1@example.com"), person("u2"))
    found = deepcopy(balanced(emulator))
    change(found)
    assert any(message in text for text in imbalances(found))
    with pytest.raises(ContractViolation, match="does not balance"):
        check_balance(found)


def test_every_reason_code_has_a_step_a_meaning_and_a_remedy() -> None:
    table = yaml.safe_load(contract("reason-codes.yaml").read_text(encoding="utf-8"))
    listed = [row["code"] for row in table["segment"]]
    assert len(listed) == len(set(listed))
    assert all(row["meaning"] and row["fix"] for row in table["segment"])
    assert {row["step"] for row in table["segment"]} <= codes().steps.keys()
    assert set(STOPS) <= codes().steps.keys()


# Codes as the pipeline writes them down: a constant, or the second argument of a check.
_CONSTANT = re.compile(r'^[A-Z_]+(?:: Final)? = "([A-Za-z_]+)"$', re.MULTILINE)
_OF_A_CHECK = re.compile(r'return "([a-z_]+)"|else "([a-z_]+)"|_optional\("[a-z]+", \w+, "([a-z_]+)"\)')
_CALLS = PACKAGE / "segment" / "tracking" / "calls.py"


def test_the_table_has_every_code_that_a_check_of_a_call_gives() -> None:
    text = _CALLS.read_text(encoding="utf-8")
    given = {code for match in _OF_A_CHECK.findall(text) for code in match if code}
    given |= {code for code in _CONSTANT.findall(text) if code != "segment"}
    assert len(given) > 10
    assert given <= codes().reasons.keys()


@pytest.mark.parametrize("name", ["switches", "event_checks", "dispatcher", "response", "queued_events"])
def test_the_table_has_every_code_of_delivery(name: str) -> None:
    text = (PACKAGE / "segment" / "delivery" / f"{name}.py").read_text(encoding="utf-8")
    given = {code for code in _CONSTANT.findall(text) if code.isupper()}
    assert given
    assert given <= codes().reasons.keys()
