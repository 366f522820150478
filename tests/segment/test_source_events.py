"""Calls of a source as events of the destination instance connected to it: shape, generations, what stops them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.mapping import generations
from emulator.segment.tables import TABLES
from emulator.segment.tracking.calls import CALLS
from tests.segment.conftest import OpenEnv, SegmentEnv

Document = dict[str, Any]
NAME = "StackAdapt Audiences"
EMAIL = "ada@example.com"
CALL = {"userId": "u1", "messageId": "m1", "traits": {"email": EMAIL, "total_spent": 900}}
OF_2024 = ("3.361.0", "3.387.0")
ANY_TYPE = " or ".join(f'type = "{kind}"' for kind in CALLS)
BODIES: dict[str, Document] = {
    "identify": {"userId": "u1", "traits": {"email": EMAIL}},
    "track": {"userId": "u1", "event": "Signed Up", "properties": {"plan": "gold"}},
    "page": {"userId": "u1", "name": "Home", "properties": {"url": "/"}},
    "screen": {"anonymousId": "a1", "name": "Home"},
    "group": {"userId": "u1", "groupId": "g1", "traits": {"name": "Acme"}},
    "alias": {"userId": "u1", "previousId": "a1"},
}


def instance(document: Document) -> Document:
    found: Document = document["destinations"][0]
    return found


@pytest.fixture
def of_source(document: Document) -> Document:
    """The default workspace with a destination instance that is connected to its source, and to no audience."""
    instance(document).update(source="Website", audiences=[])
    return document


def of_generation(document: Document, generation: str) -> Document:
    """The same with the action of a generation that takes profiles, and the published defaults."""
    of_2024 = generation in OF_2024
    action = "forwardProfile" if of_2024 else "forwardAudienceEvent"
    mapping: Document = {"advertiser_id": "1001"} if of_2024 else {"marketing_status": "Opted-in"}
    settings = {"apiKey": "sa-local-write"} if of_2024 else instance(document)["settings"]
    subscription = {"action": action, "trigger": 'type = "identify" or type = "track"', "mapping": mapping}
    instance(document).update(generation=generation, settings=settings, subscriptions=[subscription])
    return document | {"apiVersion": "2024-12" if of_2024 else document.get("apiVersion", "2026-06")}


@pytest.mark.parametrize("generation", generations())
def test_the_clients_of_2024_forward_the_calls_and_later_ones_refuse_them(
    open_env: OpenEnv, of_source: Document, generation: str
) -> None:
    env = open_env(of_generation(of_source, generation))
    env.segment.ingest("identify", CALL)
    [delivery] = env.segment.deliveries()
    if generation in OF_2024:
        assert delivery["outcome"] == "sent"
        assert EMAIL in env.transport.documents()[0]
    else:
        assert (delivery["outcome"], delivery["reason"]) == ("rejected", "PAYLOAD_VALIDATION_FAILED")
        assert "missing the required field 'segment_computation_class'" in delivery["message"]
        assert env.transport.requests == []


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_of_each_type_is_sent_on_with_its_timestamps(open_env: OpenEnv, of_source: Document, kind: str) -> None:
    instance(of_source)["subscriptions"][0]["trigger"] = ANY_TYPE
    env = open_env(of_source)
    times = {"timestamp": "2026-03-01T11:00:00.000Z", "sentAt": "2026-03-01T11:59:00.000Z"}
    more = {"context": {"ip": "8.8.8.8"}, "integrations": {"All": True}, "channel": "server", "version": 2}
    own = {"anonymousId": None, "writeKey": "segment-local", "messageId": "m1"}
    env.segment.ingest(kind, {**own, **BODIES[kind], **more, **times})
    [delivery] = env.segment.deliveries()
    assert delivery["payload"] == {
        "messageId": "m1",
        "type": kind,
        **BODIES[kind],
        **more,
        "originalTimestamp": "2026-03-01T11:00:00.000Z",
        "timestamp": "2026-03-01T11:01:00.000Z",
        "receivedAt": "2026-03-01T12:00:00.000Z",
        "sentAt": "2026-03-01T11:59:00.000Z",
    }
    found = [delivery[name] for name in ("messageId", "type", "event", "userId", "audienceKey")]
    assert found == ["m1", kind, BODIES[kind].get("event"), BODIES[kind].get("userId"), ""]
    assert delivery["reason"] == "PAYLOAD_VALIDATION_FAILED", "the trigger lets every type pass"


def test_a_call_goes_before_the_events_that_engage_makes_of_it(open_env: OpenEnv, of_source: Document) -> None:
    instance(of_source)["audiences"] = [{"key": "vip_customers"}]
    env = open_env(of_source)
    env.segment.ingest("identify", CALL)
    found = [(each["audienceKey"], each["type"], each["messageId"] == "m1") for each in env.segment.deliveries()]
    assert found == [("", "identify", True), ("vip_customers", "identify", False), ("vip_customers", "track", False)]


def test_only_the_instances_of_the_source_get_its_calls_and_each_gets_its_own(
    open_env: OpenEnv, of_source: Document
) -> None:
    of_source["sources"].append({"name": "App", "writeKey": "segment-app"})
    one = instance(of_source)
    of_source["destinations"] += [{**one, "name": "Two"}, {**one, "name": "App", "source": "App"}]
    of_source["destinations"].append(
        {name: value for name, value in one.items() if name != "source"} | {"name": "None"}
    )
    env = open_env(of_source)
    env.segment.ingest("identify", CALL, source="Website")
    env.segment.ingest("track", {"userId": "u1", "event": "E", "messageId": "m2"}, source="App")
    found = [(each["destination"], each["messageId"]) for each in env.segment.deliveries()]
    assert found == [("StackAdapt Acme", "m1"), ("Two", "m1"), ("App", "m2")]
    assert env.segment.counts()["events"] == 3


def test_calls_that_failed_on_ingest_are_not_sent_on(open_env: OpenEnv, of_source: Document) -> None:
    env = open_env(of_source)
    env.segment.ingest(
        "batch", {"batch": [{"type": "identify", **CALL}, {"type": "identify", **CALL}, {"type": "track"}]}
    )
    assert [each["messageId"] for each in env.segment.deliveries()] == ["m1"]


@pytest.mark.parametrize("message_id", ['a "b" c', "back\\slash", "é\u2028ÿ", "tab\there", "'", "\\u0041", "\\"])
def test_a_message_id_of_any_characters_is_found_and_sent_as_it_came(
    open_env: OpenEnv, of_source: Document, message_id: str
) -> None:
    env = open_env(of_generation(of_source, "3.361.0"))
    env.segment.ingest("identify", {**CALL, "messageId": message_id})
    [delivery] = env.segment.deliveries(message_id=message_id)
    assert (delivery["messageId"], delivery["payload"]["messageId"]) == (message_id, message_id)
    [batch] = env.segment.batches()
    assert batch["events"] == [message_id]
    assert message_id in batch["summary"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud83d\ude00", "'\"\\"])
def test_a_call_of_any_characters_is_stored(open_env: OpenEnv, of_source: Document, text: str) -> None:
    env = open_env(of_source)
    body = {"userId": text, "messageId": f"m{text}", "event": text, "properties": {"email": text, text: [text]}}
    env.segment.ingest("track", json.dumps(body).encode())
    [delivery] = env.segment.deliveries()
    assert delivery["payload"]["properties"]["email"] == delivery["event"]
    assert env.segment.deliveries(message_id=delivery["messageId"]) == [delivery]


def test_a_dead_letter_is_replayed_by_its_message_id(open_env: OpenEnv, of_source: Document) -> None:
    env = open_env(of_source)
    env.segment.ingest("identify", {**CALL, "messageId": 'm "1"'})
    assert env.segment.replay(message_ids=['m "1"']) == 1
    assert env.segment.replay(message_ids=["m"]) == 0


@pytest.mark.parametrize(
    "before",
    [
        {"userId": "u1"},
        {"anonymousId": "A1"},
        {"anonymousId": "A1", "properties": {"email": EMAIL}},
        {"anonymousId": "A1", "properties": {"email": "friend@example.com"}},
        {"anonymousId": "A1", "context": {"traits": {"email": EMAIL}}},
    ],
)
def test_a_deletion_removes_the_calls_of_the_user(open_env: OpenEnv, of_source: Document, before: Document) -> None:
    env = open_env(of_source)
    env.segment.ingest("track", {"event": "Secret Name", **before})
    env.segment.ingest("track", {"event": "Other", "anonymousId": "a1"})
    env.segment.ingest("identify", {**CALL, "anonymousId": "A1"})
    assert len(env.segment.deliveries()) == 3
    env.segment.delete("u1")
    assert [each["event"] for each in env.segment.deliveries()] == ["Other"]
    with env.sandbox.store.begin() as transaction:
        tables = [
            table for table in TABLES.sorted_tables if table.name not in ("segment_messages", "segment_regulations")
        ]
        rows = [row for table in tables for row in transaction.execute(table.select())]
    assert not [row for row in rows if EMAIL in str(row) or "Secret Name" in str(row)]


def discard_of(env: SegmentEnv, kind: str = "identify", **fields: Any) -> tuple[str, str | None, str | None]:
    env.segment.ingest(kind, {**BODIES[kind], **fields})
    [delivery] = env.segment.deliveries()
    return delivery["outcome"], delivery["reason"], delivery["message"]


# Integrations object of a call, and whether the call is stopped by it; "Filtering your Segment Data".
OBJECTS: list[tuple[Any, bool]] = [
    ({}, False),
    ({"All": True}, False),
    ({"All": False}, True),
    ({"All": False, NAME: True}, False),
    ({"All": False, NAME: {"option": 1}}, False),
    ({"All": True, NAME: False}, True),
    ({NAME: False}, True),
    ({NAME.lower(): False}, False),
    ({"All": False, NAME.lower(): True}, True),
    ({"all": False}, False),
    ({"Other": False}, False),
    (None, False),
]


@pytest.mark.parametrize(("integrations", "stopped"), OBJECTS)
def test_the_integrations_object_of_a_call_stops_it(
    open_env: OpenEnv, of_source: Document, integrations: Any, stopped: bool
) -> None:
    outcome, reason, _ = discard_of(open_env(of_source), integrations=integrations)
    assert (outcome, reason) == (
        ("discarded", "FILTERED_BY_INTEGRATIONS_OBJECT") if stopped else ("rejected", "PAYLOAD_VALIDATION_FAILED")
    )


def test_a_name_in_another_case_is_pointed_out(open_env: OpenEnv, of_source: Document) -> None:
    _, _, message = discard_of(open_env(of_source), integrations={"All": False, "Stackadapt audiences": True})
    assert message == (
        "the call's integrations object has 'All': false; names are case-sensitive, and 'Stackadapt audiences' is not "
        "'StackAdapt Audiences'"
    )


def test_the_integrations_object_of_a_batch_counts_for_its_calls(open_env: OpenEnv, of_source: Document) -> None:
    env = open_env(of_source)
    env.segment.ingest("batch", {"batch": [{"type": "identify", **CALL}], "integrations": {"All": False}})
    assert [each["reason"] for each in env.segment.deliveries()] == ["FILTERED_BY_INTEGRATIONS_OBJECT"]


def test_engage_s_own_events_have_their_own_integrations_object(open_env: OpenEnv, of_source: Document) -> None:
    instance(of_source)["audiences"] = [{"key": "vip_customers"}]
    env = open_env(of_source)
    env.segment.ingest("identify", {**CALL, "integrations": {"All": False}})
    reasons = {each["audienceKey"]: each["reason"] for each in env.segment.deliveries()}
    assert reasons[""] == "FILTERED_BY_INTEGRATIONS_OBJECT"
    assert reasons["vip_customers"] != "FILTERED_BY_INTEGRATIONS_OBJECT"


# Preferences, integrations object, whether an instance mapped to "ads" and "data" gets the call: the rows of "Reconcile
# consent object and integrations object conflicts".
CONSENTS: list[tuple[Any, Any, str | None]] = [
    (None, None, None),
    ({}, None, None),
    ({}, {NAME: True}, "FILTERED_BY_END_USER_CONSENT"),
    ({"categoryPreferences": {}}, None, "FILTERED_BY_END_USER_CONSENT"),
    ({"categoryPreferences": {}}, {NAME: True}, "FILTERED_BY_END_USER_CONSENT"),
    (None, {NAME: True}, None),
    (None, {NAME: False}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
    ({"categoryPreferences": {"ads": True, "data": True}}, None, None),
    ({"categoryPreferences": {"ads": True, "data": False}}, None, "FILTERED_BY_END_USER_CONSENT"),
    ({"categoryPreferences": {"ads": True}}, None, "FILTERED_BY_END_USER_CONSENT"),
    ({"categoryPreferences": {"ads": True, "data": "true"}}, None, "FILTERED_BY_END_USER_CONSENT"),
    ({"categoryPreferences": {"other": True}}, None, "FILTERED_BY_END_USER_CONSENT"),
    ({"categoryPreferences": {"ads": True, "data": True}}, {NAME: False}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
    ({"categoryPreferences": {"ads": True, "data": True}}, {"All": True}, None),
    ({"categoryPreferences": {"ads": False, "data": True}}, {NAME: False}, "FILTERED_BY_END_USER_CONSENT"),
]


@pytest.mark.parametrize(("consent", "integrations", "reason"), CONSENTS)
def test_a_call_needs_consent_to_every_category_of_the_destination(
    open_env: OpenEnv, of_source: Document, consent: Any, integrations: Any, reason: str | None
) -> None:
    instance(of_source)["consent"] = {"categories": ["ads", "data"]}
    fields: Document = {} if consent is None else {"context": {"consent": consent}}
    if integrations is not None:
        fields["integrations"] = integrations
    found = discard_of(open_env(of_source), **fields)
    assert found[:2] == (("discarded", reason) if reason else ("rejected", "PAYLOAD_VALIDATION_FAILED"))


def test_a_destination_without_categories_enforces_no_consent(open_env: OpenEnv, of_source: Document) -> None:
    consent = {"consent": {"categoryPreferences": {"ads": False}}}
    assert discard_of(open_env(of_source), context=consent)[0] == "rejected"


def test_the_event_that_updates_the_preferences_is_always_sent_on(open_env: OpenEnv, of_source: Document) -> None:
    instance(of_source)["consent"] = {"categories": ["ads"]}
    consent = {"consent": {"categoryPreferences": {"ads": False}}}
    found = discard_of(open_env(of_source), "track", event="Segment Consent Preference Updated", context=consent)
    assert found[0] == "rejected"


def test_engage_s_own_events_have_no_consent_object_and_pass(open_env: OpenEnv, of_source: Document) -> None:
    instance(of_source).update(audiences=[{"key": "vip_customers"}], consent={"categories": ["ads"]})
    env = open_env(of_source)
    env.segment.ingest("identify", {**CALL, "context": {"consent": {"categoryPreferences": {"ads": False}}}})
    reasons = {each["audienceKey"]: each["reason"] for each in env.segment.deliveries()}
    assert reasons[""] == "FILTERED_BY_END_USER_CONSENT"
    assert reasons["vip_customers"] != "FILTERED_BY_END_USER_CONSENT"
