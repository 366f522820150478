from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from emulator.errors import InputError
from emulator.generator.event_stream import (
    BLOCK,
    DISPLACED,
    EventStream,
    IdentifyCalls,
    StreamOptions,
    members,
    membership_events,
)
from emulator.generator.people import Population, identify, people
from emulator.timestamps import parse_timestamp
from emulator.workspace import load_workspace, parse_workspace
from tests.segment.conftest import SegmentEnv

MIXED = StreamOptions(duplicates=0.1, late=0.1, out_of_order=0.1, churn=0.3)
SEED = 3


DEFAULT = StreamOptions()


def identifies(options: StreamOptions = StreamOptions()) -> EventStream:  # noqa: B008 - frozen
    return EventStream(population=Population(seed=SEED), source=IdentifyCalls(), options=options)


def audience_events(options: StreamOptions = DEFAULT, document: Mapping[str, Any] | None = None) -> EventStream:
    workspace = parse_workspace(document) if document else load_workspace()
    return EventStream(population=members(Population(seed=SEED)), source=membership_events(workspace), options=options)


def message_ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["messageId"] for event in events]


def seconds(event: Mapping[str, Any]) -> float:
    at = parse_timestamp(event["timestamp"])
    assert at is not None
    return at.timestamp()


@pytest.mark.parametrize("options", [StreamOptions(), MIXED], ids=["default", "mixed"])
@pytest.mark.parametrize("stream", [identifies, audience_events])
def test_a_block_is_full_and_reproducible(stream: Any, options: StreamOptions) -> None:
    alone = stream(options).block(2)
    after_others = [stream(options).block(number) for number in range(3)][2]
    assert alone == after_others
    assert len(alone) == BLOCK


def test_by_default_call_i_is_about_person_i() -> None:
    events = identifies().block(0) + identifies().block(1)
    assert events == [identify(person) for person in people(SEED, 2 * BLOCK)]


@pytest.mark.parametrize("stream", [identifies, audience_events])
def test_by_default_every_event_arrives_once_and_in_order(stream: Any) -> None:
    events = stream().block(0) + stream().block(1)
    assert len(set(message_ids(events))) == len(events) == 2 * BLOCK
    times = [seconds(event) for event in events]
    assert times == sorted(times)


def test_a_duplicate_follows_within_a_few_positions() -> None:
    events = identifies(StreamOptions(duplicates=0.2)).block(0)
    first_places: dict[str, int] = {}
    again = 0
    for place, event in enumerate(events):
        first = first_places.setdefault(event["messageId"], place)
        if first != place:
            again += 1
            assert event == events[first]
            assert place - first <= 2 * DISPLACED
    # One of six events is a duplicate when one of five is repeated.
    assert again / BLOCK == pytest.approx(1 / 6, abs=0.04)


def test_late_events_are_up_to_a_day_old() -> None:
    events = identifies(StreamOptions(late=0.2)).block(50)
    start = seconds(identifies().block(50)[0])
    behind = [start + place - seconds(event) for place, event in enumerate(events)]
    late = [seconds_behind for seconds_behind in behind if seconds_behind > 0]
    assert len(late) / BLOCK == pytest.approx(0.2, abs=0.04)
    assert 12 * 3600 < max(late) <= 24 * 3600


def test_events_out_of_order_arrive_a_few_positions_late() -> None:
    ordered, mixed = identifies().block(0), identifies(StreamOptions(out_of_order=0.2)).block(0)
    assert sorted(message_ids(mixed)) == sorted(message_ids(ordered))
    places = {message_id: place for place, message_id in enumerate(message_ids(ordered))}
    moved = [place - places[message_id] for place, message_id in enumerate(message_ids(mixed))]
    assert 0 < max(moved) <= DISPLACED
    overtaken = sum(seconds(earlier) > seconds(later) for earlier, later in pairwise(mixed))
    assert overtaken / BLOCK == pytest.approx(0.2, abs=0.08)


def test_a_leaving_person_is_identified_again_below_the_condition() -> None:
    events = identifies(StreamOptions(churn=0.5)).block(0)
    spent: dict[str, list[float]] = {}
    for event in events:
        spent.setdefault(event["userId"], []).append(event["traits"]["total_spent"])
    vips = {user: amounts for user, amounts in spent.items() if amounts[0] >= 500}
    left = [user for user, amounts in vips.items() if len(amounts) > 1]
    assert len(left) / len(vips) == pytest.approx(0.5, abs=0.1)
    assert all(amounts[1:] in ([], [1]) for amounts in spent.values())
    assert all(len(amounts) == 1 for user, amounts in spent.items() if user not in vips)


def test_members_enter_and_some_leave_again() -> None:
    events = audience_events(StreamOptions(churn=0.5)).block(0)
    timelines_by_user: dict[str, list[str]] = {}
    for event in events:
        if event["type"] == "track":
            timelines_by_user.setdefault(event["userId"], []).append(event["event"])
    timelines = Counter(map(tuple, timelines_by_user.values()))
    assert set(timelines) <= {("Audience Entered",), ("Audience Entered", "Audience Exited")}
    assert timelines["Audience Entered", "Audience Exited"] / timelines.total() == pytest.approx(0.5, abs=0.1)


def test_an_identify_and_a_track_have_the_same_change() -> None:
    events = audience_events(StreamOptions(churn=0.3)).block(1)
    assert len(events) == BLOCK
    for first, second in zip(events[::2], events[1::2], strict=True):
        assert (first["type"], second["type"]) == ("identify", "track")
        assert first["userId"] == second["userId"]
        assert first["traits"]["vip_customers"] is second["properties"]["vip_customers"]


def test_audience_events_use_every_connection_that_sends(document: dict[str, Any]) -> None:
    document["audiences"].append(document["audiences"][0] | {"key": "others", "id": "aud_others"})
    document["audiences"].append(document["audiences"][0] | {"key": "silent", "id": "aud_silent"})
    [destination] = document["destinations"]
    destination["audiences"] += [
        {"key": "others", "sendTrack": False, "traits": ["city"]},
        {"key": "silent", "sendTrack": False, "sendIdentify": False},
    ]
    events = audience_events(document=document).block(0)
    kinds = Counter((event["context"]["personas"]["computation_key"], event["type"]) for event in events)
    assert set(kinds) == {("vip_customers", "identify"), ("vip_customers", "track"), ("others", "identify")}
    [other] = [event for event in events if "others" in event.get("traits", ())][:1]
    assert set(other["traits"]) <= {"city", "email", "others"}


def test_a_workspace_without_sending_connections_is_rejected(document: dict[str, Any]) -> None:
    del document["destinations"]
    with pytest.raises(InputError, match=r"destinations\[\]\.audiences"):
        membership_events(parse_workspace(document))


def test_an_invalid_share_is_rejected() -> None:
    with pytest.raises(InputError, match="out-of-order: invalid share"):
        StreamOptions(out_of_order=2)


def test_the_stream_s_members_are_those_that_engage_computes(segment_env: SegmentEnv) -> None:
    events = identifies(StreamOptions(churn=0.3)).block(0)
    for start in range(0, BLOCK, 500):
        assert segment_env.segment.ingest("batch", {"batch": events[start : start + 500]}).accepted == 500
    last = {event["userId"]: event["traits"]["total_spent"] for event in events}
    inside = {member["userId"] for member in segment_env.segment.members("vip_customers", limit=BLOCK)}
    assert inside == {user for user, spent in last.items() if spent >= 500}
