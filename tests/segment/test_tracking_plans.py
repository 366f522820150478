"""Schema controls and tracking plans: "Customize your schema controls" and "Source Schema" in Segment's pages."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.events import CallReceived
from emulator.segment.tracking.calls import Call, RejectedCall
from tests.segment.conftest import OpenEnv
from tests.segment.tracking_plan import PLAN, after, schema_of, workspace_with

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
