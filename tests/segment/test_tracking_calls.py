"""Codes and limits: "HTTP Tracking API" and "Delivery Overview" in Segment's documentation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.ids import Ids
from emulator.segment.tracking.calls import Call, IngestResult, RejectedCall, read_calls, without_duplicates
from emulator.timestamps import from_millis, iso_nanoseconds, iso_of_millis, parse_timestamp, to_millis

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(route: str, body: dict[str, Any]) -> list[IngestResult]:
    return read_calls(route, body, received_at=NOON, ids=Ids(1))


def call(route: str, **body: Any) -> Call:
    [found] = read(route, body)
    assert isinstance(found, Call), found
    return found


def reasons(route: str, body: dict[str, Any]) -> list[str | None]:
    return [found.reason if isinstance(found, RejectedCall) else None for found in read(route, body)]


@pytest.mark.parametrize(
    ("route", "body", "reason"),
    [
        ("identify", {}, "no_user_anon_id"),
        ("identify", {"userId": None, "anonymousId": None}, "no_user_anon_id"),
        ("identify", {"userId": ""}, "id_not_string"),
        ("identify", {"userId": 5}, "id_not_string"),
        ("identify", {"userId": "u", "anonymousId": ["a"]}, "id_not_string"),
        ("identify", {"userId": "u", "traits": "x"}, "traits_not_object"),
        ("identify", {"userId": "u", "traits": []}, "traits_not_object"),
        ("track", {"userId": "u"}, "event_not_defined"),
        ("track", {"userId": "u", "event": ""}, "event_not_defined"),
        ("track", {"userId": "u", "event": 5}, "event_not_string"),
        ("track", {"userId": "u", "event": "e", "properties": 5}, "properties_not_object"),
        ("track", {"event": "e"}, "no_user_anon_id"),
        ("page", {"userId": "u", "name": 5}, "name_not_string"),
        ("screen", {"userId": "u", "category": {}}, "category_not_string"),
        ("screen", {"userId": "u", "properties": []}, "properties_not_object"),
        ("group", {"userId": "u"}, "id_required"),
        ("group", {"userId": "u", "groupId": 5}, "id_not_string"),
        ("group", {"userId": "u", "groupId": "g", "traits": 1}, "traits_not_object"),
        ("alias", {"userId": "u"}, "id_required"),
        ("alias", {"previousId": "u"}, "id_required"),
        ("alias", {"userId": "u", "previousId": ""}, "id_not_string"),
        ("batch", {}, "bad_request"),
        ("batch", {"batch": {}}, "bad_request"),
        ("batch", {"batch": []}, "empty_batch"),
        ("batch", {"batch": ["x"]}, "bad_request"),
        ("batch", {"batch": [{"userId": "u"}]}, "bad_request"),
        ("import", {"batch": [{"type": "batch", "userId": "u"}]}, "bad_request"),
    ],
)
def test_a_call_that_fails_on_ingest_gets_segment_s_code(route: str, body: dict[str, Any], reason: str) -> None:
    assert reasons(route, body) == [reason]


def test_an_identify_has_fewer_than_300_traits() -> None:
    many = {f"t{number}": 1 for number in range(300)}
    assert reasons("identify", {"userId": "u", "traits": many}) == ["bad_request"]
    many.popitem()
    assert reasons("identify", {"userId": "u", "traits": many}) == [None]


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("identify", {"userId": "u"}),
        ("identify", {"anonymousId": "a", "traits": None}),
        ("identify", {"userId": "u", "anonymousId": None, "traits": {"a": None}}),
        ("track", {"userId": "u", "event": "e", "properties": {}}),
        ("page", {"userId": "u", "name": None, "category": None}),
        ("screen", {"anonymousId": "a", "name": "n"}),
        ("group", {"userId": "u", "groupId": "g"}),
        ("alias", {"userId": "u", "previousId": "p"}),
    ],
)
def test_null_is_the_same_as_absent(route: str, body: dict[str, Any]) -> None:
    """The Python library sends `"anonymousId": null` with every call."""
    assert reasons(route, body) == [None]


def test_an_invalid_item_does_not_affect_the_others() -> None:
    items = [{"type": "identify", "userId": "u"}, {"type": "track", "userId": "u"}, {"type": "identify", "userId": "v"}]
    assert reasons("batch", {"batch": items}) == [None, "event_not_defined", None]


def test_events_beyond_2500_are_rejected() -> None:
    items = [{"type": "identify", "userId": str(number)} for number in range(2502)]
    assert reasons("batch", {"batch": items}) == [None] * 2500 + ["bad_request"] * 2


def test_the_context_and_sent_at_of_a_batch_apply_to_every_item() -> None:
    body = {
        "batch": [
            {"type": "identify", "userId": "u", "context": {"ip": "1.1.1.1"}, "timestamp": "2026-03-01T11:00:00Z"},
            {"type": "identify", "userId": "v", "sentAt": "2026-03-01T12:00:00Z", "timestamp": "2026-03-01T11:00:00Z"},
        ],
        "context": {"ip": "2.2.2.2", "library": {"name": "x"}},
        "integrations": {"All": False},
        "sentAt": "2026-03-01T11:30:00+00:00",
    }
    first, second = read("batch", body)
    assert isinstance(first, Call)
    assert isinstance(second, Call)
    assert first.message["context"] == {"ip": "1.1.1.1", "library": {"name": "x"}}
    assert second.message["integrations"] == {"All": False}
    assert first.timestamp == NOON - timedelta(minutes=30)
    assert second.timestamp == NOON - timedelta(hours=1)


def test_the_timestamp_is_corrected_for_the_sender_s_clock() -> None:
    """`timestamp = receivedAt - (sentAt - originalTimestamp)`."""
    sent = call("track", userId="u", event="e", timestamp="2026-03-01T10:00:00.500Z", sentAt="2026-03-01T10:00:02.500Z")
    assert sent.original_timestamp == datetime(2026, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert sent.received_at == NOON
    assert sent.timestamp == NOON - timedelta(seconds=2)


@pytest.mark.parametrize(
    ("given", "timestamp"),
    [
        ({}, NOON),
        ({"timestamp": None}, NOON),
        ({"timestamp": "yesterday"}, NOON),
        ({"timestamp": 5}, NOON),
        ({"timestamp": "2026-02-01T00:00:00Z"}, datetime(2026, 2, 1, tzinfo=UTC)),
        ({"timestamp": "2026-02-01T00:00:00Z", "sentAt": "soon"}, datetime(2026, 2, 1, tzinfo=UTC)),
        ({"timestamp": "0001-01-01T00:00:00Z", "sentAt": "9999-12-31T00:00:00Z"}, NOON),
    ],
)
def test_without_a_valid_timestamp_the_time_of_receipt_counts(given: dict[str, Any], timestamp: datetime) -> None:
    assert call("identify", userId="u", **given).timestamp == timestamp


def test_a_call_without_message_id_gets_one() -> None:
    first, second = call("identify", userId="u"), call("identify", userId="u", messageId="m")
    assert first.message_id.startswith("api-")
    assert len(first.message_id) == len("api-") + 27
    assert second.message_id == "m"


@pytest.mark.parametrize(("characters", "reason"), [(100, None), (101, "bad_request")])
def test_a_message_id_has_at_most_100_characters(characters: int, reason: str | None) -> None:
    assert reasons("identify", {"userId": "u", "messageId": "m" * characters}) == [reason]


def test_duplicates_are_found_by_message_id_alone() -> None:
    body = {
        "batch": [
            {"type": "identify", "userId": "u", "messageId": "1"},
            {"type": "track", "userId": "v", "event": "e", "messageId": "1"},
            {"type": "identify", "userId": "u", "messageId": "2"},
            {"type": "identify", "userId": "u", "messageId": "3"},
        ]
    }
    settled = list(without_duplicates(read("batch", body), seen=["3"]))
    assert [found.reason if isinstance(found, RejectedCall) else None for found in settled] == [
        None,
        "duplicate",
        None,
        "duplicate",
    ]


def test_a_rejected_call_does_not_make_the_next_one_a_duplicate() -> None:
    body = {
        "batch": [
            {"type": "track", "userId": "u", "messageId": "1"},
            {"type": "track", "userId": "u", "event": "e", "messageId": "1"},
        ]
    }
    settled = list(without_duplicates(read("batch", body), seen=[]))
    assert isinstance(settled[1], Call)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01T12:00:00.000Z", NOON),
        ("2026-03-01T12:00:00.000+00:00", NOON),
        ("2026-03-01T13:00:00.000000+01:00", NOON),
        ("2026-03-01T12:00:00.000000999Z", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("", None),
        (None, None),
        (1772366400, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_timestamps_of_every_library_are_parsed(text: object, at: datetime | None) -> None:
    assert parse_timestamp(text) == at


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC)))
def test_timestamps_round_trip_as_milliseconds(at: datetime) -> None:
    kept = from_millis(to_millis(at))
    assert timedelta() <= at - kept < timedelta(milliseconds=1)
    assert parse_timestamp(iso_of_millis(to_millis(at))) == kept
    assert parse_timestamp(iso_nanoseconds(at)) == at
