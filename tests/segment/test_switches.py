"""Switches of a workspace: what a disabled source, destination instance or subscription does with an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.events import BatchDelivered, CallReceived
from tests.segment.conftest import OpenEnv, SegmentEnv

Document = dict[str, Any]
ADA = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


def instance(document: Document) -> Document:
    found: Document = document["destinations"][0]
    return found


def disable_destination(document: Document) -> None:
    instance(document)["enabled"] = False


def disable_subscription(document: Document) -> None:
    instance(document)["subscriptions"][0]["enabled"] = False


def disable_both(document: Document) -> None:
    disable_destination(document)
    disable_subscription(document)


def remove_subscriptions(document: Document) -> None:
    instance(document)["subscriptions"] = []


def take_another_source(document: Document) -> None:
    document["sources"].append({"name": "App", "writeKey": "segment-app"})
    instance(document)["source"] = "App"


OFF = [
    (disable_destination, "Sync Audience", "DESTINATION_DISABLED", "destinations[0].enabled is false"),
    (
        disable_subscription,
        "Sync Audience",
        "SUBSCRIPTION_DISABLED",
        "destinations[0].subscriptions[0].enabled is false",
    ),
    (disable_both, "Sync Audience", "DESTINATION_DISABLED", "destinations[0].enabled is false"),
    (remove_subscriptions, "", "NO_SUBSCRIPTION", "destinations[0].subscriptions is empty"),
    (
        take_another_source,
        "Sync Audience",
        "SOURCE_NOT_CONNECTED",
        "destinations[0].source is 'App', and the call came from 'Website'",
    ),
]


@pytest.mark.parametrize(("switch", "subscription", "reason", "message"), OFF)
def test_a_switch_discards_the_events_and_is_named(
    open_env: OpenEnv,
    document: Document,
    switch: Callable[[Document], None],
    subscription: str,
    reason: str,
    message: str,
) -> None:
    switch(document)
    env = open_env(document)
    env.segment.ingest("identify", ADA, source="Website")
    assert env.transport.requests == []
    deliveries = env.segment.deliveries()
    found = [(each["subscription"], each["outcome"], each["reason"], each["message"]) for each in deliveries]
    assert found == [(subscription, "discarded", reason, message)] * 2
    assert [each["type"] for each in deliveries] == ["identify", "track"]
    assert env.segment.next_delivery() is None
    [entry] = env.heard(BatchDelivered)
    assert (entry.subscription, entry.outcomes, entry.error) == (subscription, {"discarded": 2}, message)
    assert [each["userId"] for each in env.segment.members("vip_customers")] == ["u1"]


def test_the_other_subscriptions_and_destination_instances_still_send(open_env: OpenEnv, document: Document) -> None:
    first = instance(document)
    off = {**first["subscriptions"][0], "name": "Off", "enabled": False}
    document["destinations"] = [
        {**first, "name": "Off", "enabled": False},
        {**first, "name": "On", "subscriptions": [off, first["subscriptions"][0]]},
    ]
    env = open_env(document)
    env.segment.ingest("identify", ADA)
    found = {(each["destination"], each["subscription"]): each["outcome"] for each in env.segment.deliveries()}
    assert found == {
        ("Off", "Sync Audience"): "discarded",
        ("On", "Off"): "discarded",
        ("On", "Sync Audience"): "sent",
    }


def test_a_disabled_destination_instance_does_not_need_a_usable_subscription(
    open_env: OpenEnv, document: Document
) -> None:
    instance(document)["subscriptions"][0]["action"] = "unknown"
    disable_destination(document)
    env = open_env(document)
    env.segment.ingest("identify", ADA)
    assert {each["reason"] for each in env.segment.deliveries()} == {"DESTINATION_DISABLED"}


def test_a_disabled_source_drops_its_calls(open_env: OpenEnv, document: Document) -> None:
    document["sources"] = [
        {"name": "Website", "writeKey": "segment-local", "enabled": False},
        {"name": "App", "writeKey": "segment-app"},
    ]
    env = open_env(document)
    call = {**ADA, "messageId": "m1"}
    receipt = env.segment.ingest("identify", call, source="Website")
    assert (receipt.accepted, [each.reason for each in receipt.failed]) == (0, ["SOURCE_DISABLED"])
    assert (env.segment.profiles(), env.segment.deliveries()) == ([], [])
    assert env.segment.counts()["calls"] == {"accepted": 0, "failed": {"SOURCE_DISABLED": 1}}
    # The dropped call does not make the one of the other source a duplicate.
    assert env.segment.ingest("identify", call, source="App").accepted == 1
    heard = [(each.source, each.message_id, each.accepted, each.reason) for each in env.heard(CallReceived)]
    assert heard == [("Website", "m1", False, "SOURCE_DISABLED"), ("App", "m1", True, None)]
    assert env.outcomes() == ["sent", "sent"]


def test_a_disabled_source_sends_its_calls_to_no_destination_instance(open_env: OpenEnv, document: Document) -> None:
    document["sources"][0]["enabled"] = False
    instance(document)["source"] = "Website"
    env = open_env(document)
    env.segment.ingest("identify", ADA, source="Website")
    assert env.segment.deliveries() == []


@pytest.mark.parametrize("place", ["sources", "destinations", "subscriptions", "filters"])
def test_what_does_not_say_that_it_is_enabled_is(open_env: OpenEnv, document: Document, place: str) -> None:
    instance(document)["filters"] = [{"title": "f", "if": "type = 'group'", "actions": [{"type": "DROP"}]}]
    results = []
    for enabled in ({}, {"enabled": True}):
        holder = document if place in ("sources", "destinations") else instance(document)
        holder[place][0].pop("enabled", None)
        holder[place][0].update(enabled)
        env = open_env(document)
        env.segment.ingest("identify", ADA, source="Website")
        results.append(env.outcomes())
    assert results == [["sent", "sent"]] * 2


def in_all_ways(env: SegmentEnv) -> None:
    """Events that no call causes: manually, by backfill and, 7 days later, by the passing of time."""
    env.segment.set_membership("vip_customers", entered=True, user_id="u2", email="u2@example.com")
    env.segment.compute("vip_customers", "StackAdapt Acme")
    env.advance(days=8)


def test_events_that_no_call_caused_reach_a_destination_instance_with_a_source(
    open_env: OpenEnv, document: Document
) -> None:
    take_another_source(document)
    document["audiences"][0]["condition"] = {"event": "Signed Up", "within": "7d"}
    env = open_env(document)
    env.segment.ingest("track", {"userId": "u1", "event": "Signed Up"}, source="Website")
    in_all_ways(env)
    assert {each["reason"] for each in env.segment.deliveries()[:2]} == {"SOURCE_NOT_CONNECTED"}
    by_no_call = env.segment.deliveries()[2:]
    assert len(by_no_call) > 4
    assert {each["outcome"] for each in by_no_call} <= {"sent", "rejected"}


def test_a_destination_instance_gets_the_events_of_its_source(open_env: OpenEnv, document: Document) -> None:
    take_another_source(document)
    env = open_env(document)
    env.segment.ingest("identify", ADA, source="App")
    of_engage = [each for each in env.segment.deliveries() if each["audienceKey"]]
    assert [each["outcome"] for each in of_engage] == ["sent", "sent"]


def test_a_regulation_is_not_forwarded_to_a_disabled_destination_instance(
    open_env: OpenEnv, document: Document
) -> None:
    disable_destination(document)
    env = open_env(document)
    env.segment.ingest("identify", ADA)
    assert env.segment.delete("u1") == {
        "userId": "u1",
        "deleted": True,
        "destinations": [
            {
                "destination": "StackAdapt Acme",
                "outcome": "discarded",
                "reason": "DESTINATION_DISABLED",
                "message": "destinations[0].enabled is false",
            }
        ],
    }
    assert env.transport.requests == []
