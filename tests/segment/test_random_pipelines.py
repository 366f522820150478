"""Random toggles, plans, sources, filters and consent, and random calls: a plain reading says where each event ends."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.artefacts import fixture
from emulator.clock import Clock
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of
from emulator.workspace_file import read
from tests.segment.conftest import NOON, RecordingTransport

Document = dict[str, Any]
NAME = "StackAdapt Audiences"
# Each with what it does to an event of this type: dropped, or without an email.
FILTERS: list[tuple[Document, dict[str, str]]] = [
    ({"if": "type = 'track'", "actions": [{"type": "DROP"}]}, {"track": "dropped"}),
    ({"if": "type = 'identify'", "actions": [{"type": "SAMPLE", "percent": 0}]}, {"identify": "dropped"}),
    ({"if": "type != 'page'", "actions": [{"type": "SAMPLE", "percent": 1}]}, {}),
    (
        {"if": "type = 'identify'", "actions": [{"type": "DROP_PROPERTIES", "fields": {"traits": ["email"]}}]},
        {"identify": "without email"},
    ),
    ({"if": "type ==", "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"": []}}]}, {"*": "dropped"}),
]

# What the tracking plan of the source Website does: blocks the event E, or leaves out the email.
PLAN: Document = {"name": "P", "rules": [
    {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"properties": {"total_spent": {"type": "number"}}}}}}
]}  # fmt: skip
SCHEMAS: dict[str | None, Document] = {
    None: {},
    "block": {"track": {"allowUnplannedEvents": False}},
    "omit": {"identify": {"allowUnplannedTraits": False}},
}

destinations = st.fixed_dictionaries(
    {
        "enabled": st.booleans() | st.just(True),
        "subscribed": st.booleans() | st.just(True),
        "source": st.sampled_from([None, "Website", "App"]),
        "filters": st.lists(st.sampled_from(range(len(FILTERS))), max_size=3, unique=True),
        "off": st.sampled_from([None, 0]),
        "consent": st.sampled_from([[], ["ads"], ["ads", "data"]]),
    }
)
calls = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["Website", "App"]),
        "type": st.sampled_from(["identify", "track", "page"]),
        "integrations": st.sampled_from([None, {}, {"All": False}, {"All": False, NAME: True}, {NAME: False}]),
        "consent": st.sampled_from(
            [None, {}, {"ads": True}, {"ads": True, "data": True}, {"ads": False, "data": True}]
        ),
    }
)


def workspace(chosen: list[Document], plan: str | None) -> Document:
    document: Document = {**read(fixture("workspace.yaml")), "seed": 1}
    planned = {"trackingPlan": "P", "schema": SCHEMAS[plan]} if plan else {}
    document["trackingPlans"] = [PLAN]
    document["sources"] = [{"name": "Website", "writeKey": "w", **planned}, {"name": "App", "writeKey": "a"}]
    [default] = document["destinations"]
    document["destinations"] = [
        {
            **default,
            "name": f"D{number}",
            "enabled": each["enabled"],
            "subscriptions": [{**default["subscriptions"][0], "enabled": each["subscribed"]}],
            "filters": [
                {"title": f"F{index}", "enabled": position != each["off"], **FILTERS[index][0]}
                for position, index in enumerate(each["filters"])
            ],
            **({"source": each["source"]} if each["source"] else {}),
            **({"consent": {"categories": each["consent"]}} if each["consent"] else {}),
        }
        for number, each in enumerate(chosen)
    ]
    return document


def expected(each: Document, call: Document) -> str:
    """Why the call does not arrive at a destination instance of its source."""
    if not each["enabled"]:
        return "DESTINATION_DISABLED"
    if not each["subscribed"]:
        return "SUBSCRIPTION_DISABLED"
    preferences = call["consent"]
    if preferences is not None and any(preferences.get(name) is not True for name in each["consent"]):
        return "FILTERED_BY_END_USER_CONSENT"
    named = call["integrations"] or {}
    if not named.get(NAME, named.get("All", True)):
        return "FILTERED_BY_INTEGRATIONS_OBJECT"
    active = [FILTERS[index][1] for position, index in enumerate(each["filters"]) if position != each["off"]]
    if any("dropped" in (effect.get(call["type"]), effect.get("*")) for effect in active):
        return "FILTERED_BY_RULES"
    return "NO_MATCHING_MAPPING" if call["type"] == "page" else "PAYLOAD_VALIDATION_FAILED"


def _is_blocked(call: Document, plan: str | None) -> bool:
    return plan == "block" and call["source"] == "Website" and call["type"] == "track"


@settings(max_examples=60, deadline=None)
@given(
    chosen=st.lists(destinations, min_size=1, max_size=3),
    sent=st.lists(calls, min_size=1, max_size=5),
    plan=st.sampled_from(list(SCHEMAS)),
)
def test_every_event_ends_once_where_a_plain_reading_says(
    chosen: list[Document], sent: list[Document], plan: str | None
) -> None:
    document = workspace(chosen, plan)
    parsed = parse_workspace(document)
    assert parse_workspace(document_of(parsed)) == parsed
    sandbox = Sandbox(parsed, clock=Clock(frozen_at=NOON))
    try:
        transport = RecordingTransport()
        segment = Segment(sandbox, lambda _destination: transport)
        for number, call in enumerate(sent):
            context = {} if call["consent"] is None else {"consent": {"categoryPreferences": call["consent"]}}
            body = {"userId": f"u{number}", "messageId": f"m{number}", "context": context}
            body |= {
                "identify": {"traits": {"email": f"u{number}@example.com", "total_spent": 900}},
                "track": {"event": "E"},
                "page": {},
            }[call["type"]]
            body |= {} if call["integrations"] is None else {"integrations": call["integrations"]}
            segment.ingest(call["type"], body, source=call["source"])
        deliveries = segment.deliveries(limit=10_000)
        of_calls = {(each["destination"], each["messageId"]): each for each in deliveries if not each["audienceKey"]}
        wanted = {
            (f"D{number}", f"m{position}"): expected(each, call)
            for number, each in enumerate(chosen)
            for position, call in enumerate(sent)
            if each["source"] == call["source"] and not _is_blocked(call, plan)
        }
        assert {key: each["reason"] for key, each in of_calls.items()} == wanted
        # Each is counted once; only what no check stopped is sent, and never what a filter removes.
        counts = segment.counts()
        blocked = sum(_is_blocked(call, plan) for call in sent)
        assert counts["calls"] == {"accepted": len(sent) - blocked, "failed": {"unplanned": blocked} if blocked else {}}
        assert sum(counts["outcomes"].values()) == counts["events"] == len(deliveries)
        assert Counter(each["outcome"] for each in deliveries) == Counter(counts["outcomes"])
        for each in deliveries:
            active = chosen[int(each["destination"][1:])]
            from_website = sent[int(each["messageId"][1:])]["source"] == "Website" if not each["audienceKey"] else False
            if plan == "omit" and from_website and each["type"] == "identify":
                assert each["payload"]["traits"].keys() <= {"total_spent"}
            removes = [index for position, index in enumerate(active["filters"]) if position != active["off"]]
            if each["outcome"] != "discarded" and each["type"] == "identify" and 3 in removes:
                assert "email" not in each["payload"].get("traits", {})
    finally:
        sandbox.close()
