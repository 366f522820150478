"""Schema controls and tracking plans: "Customize your schema controls" and "Source Schema" in Segment's pages."""

from __future__ import annotations

import copy
import json
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.clock import Clock
from emulator.errors import WorkspaceError
from emulator.events import CallReceived
from emulator.sandbox import Sandbox
from emulator.segment import FILTERED_AT_SOURCE, Segment
from emulator.segment.tracking.calls import Call, RejectedCall
from emulator.segment.tracking.screening import Screening
from emulator.workspace import parse_workspace
from tests.segment.conftest import NOON, OpenEnv, RecordingTransport


def schema_of(holder: str, required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    inner = {"type": "object", "properties": properties, "required": required or []}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {holder: inner}}


ORDER = schema_of(
    "properties",
    ["order_id"],
    order_id={"type": "string"},
    total={"type": "number", "minimum": 0},
    address={"type": "object", "properties": {"city": {"type": "string"}}},
    items={"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
)
PLAN = {
    "name": "Shop",
    "rules": [
        {"type": "TRACK", "key": "Order Completed", "jsonSchema": ORDER},
        {"type": "IDENTIFY", "jsonSchema": schema_of("traits", email={"type": "string"}, age={"type": "integer"})},
        {"type": "GROUP", "jsonSchema": schema_of("traits", name={"type": "string"})},
        {
            "type": "COMMON",
            "jsonSchema": {
                "properties": {
                    "context": {"not": {"required": ["bot"]}},
                    "properties": {"not": {"required": ["debug"]}},
                }
            },
        },
    ],
}
STRICT = {
    "track": {
        "allowUnplannedEvents": False,
        "allowUnplannedEventProperties": False,
        "allowEventOnViolations": False,
        "commonEventOnViolations": "BLOCK",
    },
    "identify": {"allowUnplannedTraits": False, "allowTraitsOnViolations": False, "commonEventOnViolations": "BLOCK"},
    "group": {"allowUnplannedTraits": False},
}


def workspace_with(schema: dict[str, Any] | None = None, plan: dict[str, Any] | None = PLAN, **source: Any) -> Any:
    return {
        "advertisers": [{"id": "1", "name": "A"}],
        "tokens": [{"token": "t", "name": "T", "scopes": {}}],
        "sources": [
            {"name": "Web", "writeKey": "k"}
            | ({"schema": schema} if schema else {})
            | ({"trackingPlan": plan["name"]} if plan else {})
            | source,
            {"name": "Blocked", "writeKey": "k2"},
        ],
        "trackingPlans": [plan] if plan else [],
    }


def call_of(type_: str, **message: Any) -> Call:
    return Call(
        type=type_,
        message_id="m",
        user_id="u",
        anonymous_id=None,
        original_timestamp=NOON,
        sent_at=None,
        received_at=NOON,
        timestamp=NOON,
        message={"userId": "u"} | message,
    )


def after(document: dict[str, Any], type_: str, **message: Any) -> Any:
    call = call_of(type_, **message)
    before = copy.deepcopy(call.message)
    [result] = Screening(parse_workspace(document)).screen([call], "Web").results
    assert call.message == before, "the call as it came is not changed"
    return result


def order(**properties: Any) -> dict[str, Any]:
    return {"event": "Order Completed", "properties": properties}


@pytest.mark.parametrize(
    ("type_", "message", "reason", "why"),
    [
        (
            "track",
            {"event": "order completed"},
            "unplanned",
            "'Shop' has no event 'order completed', and sources[0].schema.track.allowUnplannedEvents is false",
        ),
        (
            "track",
            {"event": "X", "properties": {"debug": 1}},
            "unplanned_and_schema_violation",
            (
                "'Shop' has no event 'X', and sources[0].schema.track.allowUnplannedEvents is false; "
                "properties: Must not validate the schema (not)"
            ),
        ),
        (
            "track",
            order(total=1),
            "schema_violation",
            (
                "violates TRACK 'Order Completed' of 'Shop': properties.order_id is required; "
                "sources[0].schema.track.allowEventOnViolations is false"
            ),
        ),
        (
            "track",
            order(order_id="1", total="9"),
            "schema_violation",
            (
                "violates TRACK 'Order Completed' of 'Shop': properties.total: Invalid type. Expected: number, given: "
                "string; sources[0].schema.track.allowEventOnViolations is false"
            ),
        ),
        (
            "identify",
            {"traits": {"email": "a@b.co"}, "context": {"bot": True}},
            "common_schema_violation",
            (
                "violates COMMON of 'Shop': context: Must not validate the schema (not); "
                "sources[0].schema.identify.commonEventOnViolations is BLOCK"
            ),
        ),
    ],
)
def test_a_blocked_call_has_segment_s_code_and_names_rule_and_violation(
    type_: str, message: dict[str, Any], reason: str, why: str
) -> None:
    result = after(workspace_with(STRICT), type_, **message)
    assert isinstance(result, RejectedCall)
    assert (result.reason, result.why) == (reason, why)


@pytest.mark.parametrize(
    ("type_", "message", "holder", "left"),
    [
        ("track", order(order_id="1", coupon="x"), "properties", {"order_id": "1"}),
        (
            "track",
            order(order_id="1", address={"city": "Oslo", "zip": "1"}),
            "properties",
            {"order_id": "1", "address": {"city": "Oslo"}},
        ),
        ("track", order(order_id="1", debug=1), "properties", {"order_id": "1"}),
        ("identify", {"traits": {"email": "a@b.co", "first_name": "A"}}, "traits", {"email": "a@b.co"}),
        ("identify", {"traits": {"email": "a@b.co", "age": "9"}}, "traits", {"email": "a@b.co"}),
        ("group", {"groupId": "g", "traits": {"name": "A", "size": 5}}, "traits", {"name": "A"}),
    ],
)
def test_what_is_not_allowed_is_left_out_and_the_rest_goes_on(
    type_: str, message: dict[str, Any], holder: str, left: dict[str, Any]
) -> None:
    result = after(workspace_with(STRICT), type_, **message)
    assert isinstance(result, Call)
    assert result.message[holder] == left
    assert result.message["userId"] == "u"
    assert len(result.notes) >= 1


def test_context_protocols_of_the_call_says_what_was_left_out_and_what_is_wrong() -> None:
    schema = {"track": {"allowUnplannedEventProperties": False, "allowPropertiesOnViolations": False}}
    message = order(total="9", coupon="x") | {"context": {"ip": "1.2.3.4", "protocols": {"event_version": 1}}}
    result = after(workspace_with(schema), "track", **message)
    assert result.message["properties"] == {}
    assert result.message["context"] == {
        "ip": "1.2.3.4",
        "protocols": {
            "event_version": 1,
            "violations": [
                {
                    "type": "Invalid Type",
                    "field": "properties.total",
                    "description": "Invalid type. Expected: number, given: string",
                },
                {"type": "Required", "field": "properties.order_id", "description": "properties.order_id is required"},
            ],
            "omitted": ["coupon"],
            "omitted_on_violation": ["total"],
        },
    }


def test_an_item_of_an_array_is_left_out_with_the_array() -> None:
    schema = {"track": {"allowPropertiesOnViolations": False}}
    result = after(workspace_with(schema), "track", **order(order_id="1", items=[{"sku": "a"}, {"sku": 5}]))
    assert result.message["properties"] == {"order_id": "1"}


def test_violations_that_are_allowed_are_noted(open_env: OpenEnv, document: dict[str, Any]) -> None:
    document |= {"trackingPlans": [PLAN]}
    document["sources"][0] |= {"trackingPlan": "Shop"}
    segment_env = open_env(document)
    assert segment_env.segment.ingest("track", {"userId": "u", **order(total=-1)}).accepted == 1
    [call] = segment_env.heard(CallReceived)
    assert call.notes == (
        "violates TRACK 'Order Completed' of 'Shop': properties.total: Must be greater than or equal to 0",
        "violates TRACK 'Order Completed' of 'Shop': properties.order_id is required",
    )


@pytest.mark.parametrize(
    ("context", "rejected"),
    [
        ({"protocols": {"event_version": 2}}, True),
        ({"protocols": {"event_version": 1}}, False),
        ({"protocols": {"event_version": 3.2}}, False),
        ({"protocols": {"event_version": True}}, False),
        ({"protocols": 2}, False),
        ({}, False),
    ],
)
def test_a_call_names_the_version_of_its_event_or_gets_the_oldest(context: Any, rejected: bool) -> None:
    second = {"type": "TRACK", "key": "E", "version": 2, "jsonSchema": schema_of("properties", ["x"])}
    plan = {"name": "P", "rules": [second, {"type": "TRACK", "key": "E", "jsonSchema": schema_of("properties")}]}
    document = workspace_with({"track": {"allowEventOnViolations": False}}, plan)
    assert isinstance(after(document, "track", event="E", properties={}, context=context), RejectedCall) == rejected


@pytest.mark.parametrize(
    ("type_", "message", "rejected"),
    [
        ("track", {"event": "Spam"}, True),
        ("track", {"event": "spam"}, False),
        ("page", {"name": "Spam"}, True),
        ("screen", {"name": "Spam"}, False),
        ("identify", {"traits": {}}, False),
    ],
)
def test_an_event_that_is_switched_off_in_the_source_schema_is_blocked(
    type_: str, message: dict[str, Any], rejected: bool
) -> None:
    document = workspace_with({"track": {"blockedEvents": ["Spam", "Page Viewed"]}}, plan=None)
    result = after(document, type_, **message)
    assert isinstance(result, RejectedCall) == rejected
    if isinstance(result, RejectedCall):
        assert result.reason == "event_setting"
        assert "sources[0].schema.track.blockedEvents has" in (result.why or "")


def test_a_trait_that_is_switched_off_is_left_out() -> None:
    document = workspace_with({"identify": {"blockedTraits": ["ssn"]}, "group": {"blockedTraits": ["name"]}}, None)
    identify = after(document, "identify", traits={"ssn": "1", "name": "A"})
    assert identify.message["traits"] == {"name": "A"}
    assert identify.notes == ("traits.ssn was left out: sources[0].schema.identify.blockedTraits has it",)
    assert after(document, "group", traits={"ssn": "1", "name": "A"}).message["traits"] == {"ssn": "1"}
    assert after(document, "identify", traits={"name": "A"}).notes == ()


@pytest.mark.parametrize(("type_", "key"), [("PAGE", "Home"), ("PAGE", None), ("TRACK", "Page Viewed")])
def test_a_page_call_has_a_rule_by_its_name_or_as_the_event_page_viewed(type_: str, key: str | None) -> None:
    rule = {"type": type_, "jsonSchema": schema_of("properties", ["url"])} | ({"key": key} if key else {})
    document = workspace_with(
        {"track": {"allowEventOnViolations": False, "allowUnplannedEvents": False}}, {"name": "P", "rules": [rule]}
    )
    assert isinstance(after(document, "page", name="Home", properties={}), RejectedCall)
    assert isinstance(after(document, "page", name="Home", properties={"url": "u"}), Call)
    assert isinstance(after(document, "screen", name="Home"), Call), "only track calls are blocked as unplanned"


def test_the_common_rule_can_require_what_segment_adds_and_a_null_id_is_absent() -> None:
    required = ["messageId", "timestamp", "receivedAt", "type", "userId"]
    rule = {"type": "COMMON", "jsonSchema": {"required": required, "properties": {"anonymousId": {"type": "string"}}}}
    document = workspace_with({"track": {"commonEventOnViolations": "BLOCK"}}, {"name": "P", "rules": [rule]})
    assert isinstance(after(document, "track", event="E", anonymousId=None), Call)


def test_a_date_time_is_checked() -> None:
    rule = {
        "type": "TRACK",
        "key": "E",
        "jsonSchema": schema_of("properties", at={"type": "string", "format": "date-time"}),
    }
    document = workspace_with({"track": {"allowPropertiesOnViolations": False}}, {"name": "P", "rules": [rule]})
    assert after(document, "track", event="E", properties={"at": "soon"}).message["properties"] == {}
    assert after(document, "track", event="E", properties={"at": "2026-01-02T03:04:05Z"}).notes == ()


def test_a_blocked_call_reaches_nothing_and_counts_under_its_code(open_env: OpenEnv, document: dict[str, Any]) -> None:
    rules = [{"type": "IDENTIFY", "jsonSchema": schema_of("traits", total_spent={"type": "number"})}]
    document["trackingPlans"] = [
        {"name": "P", "rules": [*rules, {"type": "COMMON", "jsonSchema": {"required": ["v"]}}]}
    ]
    document["sources"][0] |= {
        "trackingPlan": "P",
        "schema": {"identify": {"commonEventOnViolations": "BLOCK", "allowUnplannedTraits": False}},
    }
    segment_env = open_env(document)
    receipt = segment_env.segment.ingest("identify", {"userId": "u", "traits": {"total_spent": 900}})
    assert (receipt.accepted, [each.reason for each in receipt.failed]) == (0, ["common_schema_violation"])
    assert segment_env.segment.profiles() == segment_env.segment.deliveries() == []
    [blocked] = segment_env.heard(CallReceived)
    assert (blocked.accepted, blocked.status, blocked.reason) == (False, 200, "common_schema_violation")
    assert "v is required" in (blocked.message or "")
    segment_env.segment.ingest("identify", {"userId": "u", "v": 1, "traits": {"total_spent": 900, "x": 1}})
    assert segment_env.segment.profiles()[0]["traits"] == {"total_spent": 900}
    assert segment_env.segment.counts()["calls"] == {"accepted": 1, "failed": {"common_schema_violation": 1}}


def test_blocked_calls_are_forwarded_where_nothing_blocks_them_again(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    schema = {"track": {"allowUnplannedEvents": False, "blockedEvents": ["Spam"]}}
    document["trackingPlans"] = [PLAN]
    document["sources"] = [
        document["sources"][0] | {"trackingPlan": "Shop", "schema": schema | {"forwardingBlockedEventsTo": "Blocked"}},
        {"name": "Blocked", "writeKey": "k2", "trackingPlan": "Shop", "schema": schema},
    ]
    segment_env = open_env(document)
    calls = [{"type": "track", "userId": "u", "event": event} for event in ("X", "Spam")]
    segment_env.segment.ingest("batch", {"batch": calls})
    heard = [(each.source, each.accepted, each.reason, each.notes) for each in segment_env.heard(CallReceived)]
    assert heard == [
        ("Website", False, "unplanned", ()),
        ("Website", False, "event_setting", ()),
        ("Blocked", True, None, ("forwarded by 'Website', which blocked it",)),
    ]
    assert segment_env.segment.profiles() == [], "a source of blocked calls is not connected to the space"


def test_a_disabled_source_gets_no_blocked_calls() -> None:
    document = workspace_with({"track": {"allowUnplannedEvents": False}, "forwardingBlockedEventsTo": "Blocked"})
    document["sources"][1]["enabled"] = False
    assert Screening(parse_workspace(document)).screen([call_of("track", event="X")], "Web").forwarded == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trackingPlans": [PLAN, PLAN]}, r"trackingPlans\[1\]: duplicates trackingPlans\[0\]"),
        ({"trackingPlans": []}, r"sources\[0\].trackingPlan: unknown tracking plan 'Shop'. Known: none"),
    ],
)
def test_a_wrong_reference_is_located(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(workspace_with() | changes)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([PLAN["rules"][0]] * 2, r"rules\[1\]: duplicates rules\[0\]\. .*version of its own"),
        ([{"type": "TRACK", "jsonSchema": {}}], r"rules\[0\]: the key 'key' is missing"),
        ([{"type": "track", "key": "E", "jsonSchema": {}}], r"rules\[0\].type: invalid value.*TRACK, IDENTIFY"),
        (
            [{"type": "COMMON", "jsonSchema": {"type": "text"}}],
            r"rules\[0\].jsonSchema.type: the JSON Schema is invalid",
        ),
        ([{"type": "COMMON", "jsonSchema": {"pattern": "("}}], r"jsonSchema.pattern: the JSON Schema is invalid"),
        (
            [{"type": "COMMON", "jsonSchema": {"properties": {"x": {"$ref": "http://example.com/s.json"}}}}],
            "jsonSchema: the JSON Schema refers to a schema that is not in it",
        ),
        ([{"type": "COMMON", "jsonSchema": {"allOf": [{"$ref": "#"}]}}], "refers to itself without end"),
    ],
)
def test_a_wrong_rule_is_located(rules: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(workspace_with(plan={"name": "Shop", "rules": rules}))


def test_blocked_calls_can_only_be_forwarded_to_another_source() -> None:
    with pytest.raises(WorkspaceError, match="unknown other source 'Web'. Known: Blocked"):
        parse_workspace(workspace_with({"forwardingBlockedEventsTo": "Web"}))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["city", "sku", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)
_properties = st.dictionaries(st.sampled_from(["order_id", "total", "address", "items", "debug", "x"]), _values)
_switches = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            [
                "allowUnplannedEvents",
                "allowUnplannedEventProperties",
                "allowEventOnViolations",
                "allowPropertiesOnViolations",
            ],
            st.booleans(),
        ),
        "commonEventOnViolations": st.sampled_from(["ALLOW", "BLOCK", "OMIT_PROPERTIES"]),
    },
)


@settings(max_examples=150, deadline=None)
@given(properties=_properties, switches=_switches, event=st.sampled_from(["Order Completed", "X"]))
def test_what_goes_through_is_what_came_without_what_the_switches_leave_out(
    properties: dict[str, Any], switches: dict[str, Any], event: str
) -> None:
    result = after(workspace_with({"track": switches}), "track", event=event, properties=properties)
    if isinstance(result, RejectedCall):
        assert False in switches.values() or switches.get("commonEventOnViolations") == "BLOCK"
        assert result.why
        return
    left = result.message["properties"]
    assert left.keys() <= properties.keys()
    if left != properties:
        assert result.notes
        assert result.message["context"]["protocols"].keys() & {"omitted", "omitted_on_violation"}
    if not switches.get("allowUnplannedEventProperties", True):
        assert left.keys() <= ({"order_id", "total", "address", "items"} if event != "X" else set())
    again = after(workspace_with({"track": switches}), "track", event=event, properties=left)
    assert json.dumps(again.message["properties"]) == json.dumps(left), "nothing more is left out the second time"


_calls = st.one_of(
    st.builds(
        lambda event, properties: {"type": "track", "event": event, "properties": properties},
        st.sampled_from(["Order Completed", "X", "Spam"]),
        _properties,
    ),
    st.builds(
        lambda traits: {"type": "identify", "traits": traits},
        st.fixed_dictionaries(
            {}, optional={"email": st.sampled_from(["a@b.co", 5]), "age": st.integers(), "x": _values}
        ),
    ),
    st.builds(lambda name: {"type": "page", "name": name}, st.sampled_from(["Home", 5])),
    st.just({"type": "alias", "previousId": "p"}),
    st.just({"type": "track"}),
)


@settings(max_examples=40, deadline=None)
@given(calls=st.lists(_calls, min_size=1, max_size=8), switches=_switches, traits=st.booleans())
def test_every_call_is_accepted_or_has_a_reason_and_is_counted_once(
    calls: list[dict[str, Any]], switches: dict[str, Any], traits: bool
) -> None:
    schema = {
        "track": switches | {"blockedEvents": ["Spam"]},
        "identify": {"allowUnplannedTraits": traits},
        "forwardingBlockedEventsTo": "Blocked",
    }
    sandbox = Sandbox(parse_workspace(workspace_with(schema)), clock=Clock(frozen_at=NOON))
    with closing(sandbox):
        segment = Segment(sandbox, lambda _destination: RecordingTransport())
        segment.ingest("batch", {"batch": [call | {"userId": "u"} for call in calls]}, source="Web")
        heard = sandbox.journal.entries(CallReceived)
        counts = segment.counts()["calls"]
        known = segment.profiles("u")
    own = [each for each in heard if each.source == "Web"]
    assert len(own) == len(calls)
    assert all(each.accepted or each.reason for each in own)
    assert all(each.message for each in own if each.reason in FILTERED_AT_SOURCE)
    forwarded = len(heard) - len(own)
    assert forwarded == sum(each.reason in FILTERED_AT_SOURCE and each.reason != "event_setting" for each in own)
    assert counts["accepted"] + sum(counts["failed"].values()) == len(calls) + forwarded
    assert bool(known) == any(each.accepted and each.call != "alias" for each in own)
    if known and not traits:
        assert known[0]["traits"].keys() <= {"email", "age"}
