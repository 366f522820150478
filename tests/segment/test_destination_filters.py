"""Destination filters in the pipeline: events of audiences and calls of a source, what is stored, what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.events import BatchDelivered
from tests.segment.conftest import OpenEnv

Document = dict[str, Any]
EMAIL = "ada@example.com"
CALL = {"userId": "u1", "messageId": "m1", "traits": {"email": EMAIL, "total_spent": 900}}


def with_filters(document: Document, *filters: Document, **changes: Any) -> Document:
    document["destinations"][0].update(filters=[{"title": "f", **each} for each in filters], **changes)
    return document


DROP = {"if": "type = 'track'", "actions": [{"type": "DROP"}]}
WITHOUT_EMAIL = {"if": "type = 'identify'", "actions": [{"type": "DROP_PROPERTIES", "fields": {"traits": ["email"]}}]}


def test_a_dropped_event_is_a_discarded_delivery_that_names_the_filter(open_env: OpenEnv, document: Document) -> None:
    env = open_env(with_filters(document, DROP | {"title": "No tracks"}))
    env.segment.ingest("identify", CALL)
    identify, track = env.segment.deliveries()
    assert identify["outcome"] == "sent"
    assert (track["outcome"], track["reason"]) == ("discarded", "FILTERED_BY_RULES")
    assert track["message"] == "the filter 'No tracks' (destinations[0].filters[0]) drops it"
    assert track["payload"]["context"]["traits"] == {"email": EMAIL}, "shown as it came"
    assert [entry.outcomes for entry in env.heard(BatchDelivered)] == [{"discarded": 1}, {"sent": 1}]
    assert env.segment.counts()["reasons"] == {"discarded": {"FILTERED_BY_RULES": 1}}


def test_dropped_members_are_missing_in_what_is_mapped_and_the_person_is_found_all_the_same(
    open_env: OpenEnv, document: Document
) -> None:
    gone = {"fields": {"": ["userId"], "traits": ["email"]}}
    everything = {"if": "type != null", "actions": [{"type": "DROP_PROPERTIES", **gone}]}
    env = open_env(with_filters(document, everything, source="Website"))
    env.segment.ingest("identify", CALL)
    call, identify, _ = env.segment.deliveries(user_id="u1")
    for delivery in (call, identify):
        assert "email" not in delivery["payload"]["traits"]
        assert "userId" not in delivery["payload"]
        assert "missing the required field 'email'" in delivery["message"]
    assert next(each["messageId"] for each in env.segment.deliveries(email=EMAIL)) == "m1"
    env.segment.delete("u1")
    assert env.segment.deliveries() == []


def test_every_instance_has_its_own_filters(open_env: OpenEnv, document: Document) -> None:
    other = {**document["destinations"][0], "name": "Other"}
    document["destinations"].append(other)
    env = open_env(with_filters(document, WITHOUT_EMAIL))
    env.segment.ingest("identify", CALL)
    found = {(each["destination"], each["type"]): each["payload"] for each in env.segment.deliveries()}
    assert "email" not in found["StackAdapt Acme", "identify"]["traits"]
    assert found["Other", "identify"]["traits"]["email"] == EMAIL


def test_a_filter_comes_after_the_integrations_object_and_before_the_trigger(
    open_env: OpenEnv, document: Document
) -> None:
    document["destinations"][0]["subscriptions"][0]["trigger"] = 'type = "group"'
    env = open_env(with_filters(document, {**DROP, "if": "type != null"}, source="Website", audiences=[]))
    env.segment.ingest("identify", CALL)
    env.segment.ingest("identify", {**CALL, "messageId": "m2", "integrations": {"All": False}})
    reasons = [each["reason"] for each in env.segment.deliveries()]
    assert reasons == ["FILTERED_BY_RULES", "FILTERED_BY_INTEGRATIONS_OBJECT"]


def test_a_switch_is_named_before_a_filter(open_env: OpenEnv, document: Document) -> None:
    env = open_env(with_filters(document, DROP, enabled=False))
    env.segment.ingest("identify", CALL)
    assert {each["reason"] for each in env.segment.deliveries()} == {"DESTINATION_DISABLED"}


def test_events_that_no_call_caused_are_filtered_too(open_env: OpenEnv, document: Document) -> None:
    env = open_env(with_filters(document, {**DROP, "if": "type != null"}))
    env.segment.set_membership("vip_customers", entered=True, user_id="u2", email="u2@example.com")
    env.segment.ingest("identify", CALL)
    env.segment.compute("vip_customers", "StackAdapt Acme")
    deliveries = env.segment.deliveries()
    assert len(deliveries) > 4
    assert {each["reason"] for each in deliveries} == {"FILTERED_BY_RULES"}


def test_a_filter_that_is_no_fql_drops_every_event(open_env: OpenEnv, document: Document) -> None:
    env = open_env(with_filters(document, {**WITHOUT_EMAIL, "if": "type == 'identify'"}))
    env.segment.ingest("identify", CALL)
    assert {each["reason"] for each in env.segment.deliveries()} == {"FILTERED_BY_RULES"}
    assert "the query is no FQL" in env.segment.deliveries()[0]["message"]


@pytest.mark.parametrize("sample", [{"percent": 0.5}, {"percent": 0.5, "path": "userId"}])
def test_a_sample_is_repeatable_and_keeps_the_share(open_env: OpenEnv, document: Document, sample: Document) -> None:
    half = {"if": "type = 'identify'", "actions": [{"type": "SAMPLE", **sample}]}
    with_filters(document, half, source="Website", audiences=[])
    results = []
    for _ in range(2):
        env = open_env(document)
        calls = [{"type": "identify", "userId": f"u{number}", "messageId": f"m{number}"} for number in range(200)]
        env.segment.ingest("batch", {"batch": calls})
        results.append([each["reason"] == "FILTERED_BY_RULES" for each in env.segment.deliveries(limit=500)])
    assert results[0] == results[1]
    assert 70 < sum(results[0]) < 130


def test_without_filters_and_sources_nothing_is_checked(open_env: OpenEnv, document: Document) -> None:
    off = {**DROP, "enabled": False}
    env = open_env(with_filters(document, off))
    env.segment.ingest("identify", CALL)
    assert env.outcomes() == ["sent", "sent"]
