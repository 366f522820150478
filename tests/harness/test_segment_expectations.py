"""Expectations of Segment and of rejected records: what a failed one prints, and misspelled arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator, Unmet, load_workspace
from emulator.errors import InputError, UnknownName
from emulator.events import GraphQLExchanged
from emulator.harness.client import Shown, sandbox_at
from emulator.harness.expectations import ExpectingSegment, ExpectingStackAdapt
from emulator.harness.expectations.criteria import Criteria


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def services(emulator: Emulator) -> tuple[ExpectingSegment, ExpectingStackAdapt]:
    client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
    endpoint = sandbox_at(client)
    return ExpectingSegment(endpoint), ExpectingStackAdapt(endpoint)


@pytest.fixture
def segment(services: tuple[ExpectingSegment, ExpectingStackAdapt]) -> ExpectingSegment:
    """Ada entered an audience and arrived, Bob has no email, and a track call without an event was dropped."""
    segment, _ = services
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900}, messageId="m-1")
    segment.identify("u2", {"total_spent": 900}, messageId="m-2")
    segment.call("track", {"userId": "u1", "messageId": "m-3"})
    return segment


@pytest.fixture
def stackadapt(services: tuple[ExpectingSegment, ExpectingStackAdapt]) -> ExpectingStackAdapt:
    """One record without an email and one that waits for a profile."""
    _, stackadapt = services
    records = json.dumps(json.dumps([{"first_name": "Ada"}, {"email": "bob@", "userId": "u2"}]))
    stackadapt.post(
        f"""mutation {{ upsertProfiles(input: {{
      advertiserId: 1001, externalProvider: "segment_io", profiles: {records}}}) {{ userErrors {{ message }} }} }}"""
    )
    return stackadapt


def printed(expect: Callable[[], object]) -> str:
    """What a failed expectation prints, without what differs between runs: times and generated ids."""
    with pytest.raises(Unmet) as failure:
        expect()
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", str(failure.value))
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


TIMELINE_OF_U2 = """(u2)
  Segment     identify to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'.
  Segment     track 'Audience Entered' to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'.
  profile     none visible
Stopped at the mapping (PAYLOAD_VALIDATION_FAILED): Segment rejected the track 'Audience Entered' event for 'Sync Audience' of 'StackAdapt Acme' before sending it
  Found: The root value is missing the required field 'email'
  What to do: Send what the mapping needs, or correct the mapping.
  Smallest change that lets it through, found by running it again:
    send the identify call with the trait email: "u2@example.com\""""  # noqa: E501 - as printed
ARRIVED = "ada@example.com of advertiser 1001, visible since TIME, OPTED_IN, in vip_customers (aud_local_vip)"
TIMELINE_OF_ADA = f"""ada@example.com (u1)
  Segment     1 call was dropped on ingest: event_not_defined
  Segment     identify to 'StackAdapt Acme': sent
  Segment     track 'Audience Entered' to 'StackAdapt Acme': sent
  StackAdapt  record (enter vip_customers): visible
  StackAdapt  record (enter vip_customers): visible
  profile     {ARRIVED}"""
DROPPED = "  Segment     track: dropped on ingest, event_not_defined (user u1)"
OTHERS = """Other failures:
  Segment     identify to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'. (user u2)
  Segment     track 'Audience Entered' to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'. (user u2)"""  # noqa: E501 - as printed


@pytest.mark.parametrize(
    ("criteria", "number"),
    [
        ({}, 4),
        ({"user_id": "u1"}, 2),
        ({"email": "ADA@example.com", "outcome": "sent"}, 2),
        ({"user_id": "u2", "outcome": "rejected", "reason": "PAYLOAD_VALIDATION_FAILED"}, 2),
        ({"destination": "StackAdapt Acme", "times": 4}, 4),
        ({"user_id": "u2", "outcome": "sent", "times": 0}, 0),
    ],
)
def test_deliveries_are_found(segment: ExpectingSegment, criteria: Any, number: int) -> None:
    found = segment.expect_delivery(**criteria)
    assert len(found) == number
    for each in found:
        assert segment.expect_delivery(message_id=each["messageId"], times=1) == [each]


@pytest.mark.parametrize(
    ("criteria", "text"),
    [
        (
            {"user_id": "u2", "outcome": "sent"},
            f"""\
expected a delivery with user_id 'u2' and outcome 'sent'; found none among 4
  near miss   identify to 'StackAdapt Acme': sent; user_id is 'u1', not 'u2'
  near miss   track 'Audience Entered' to 'StackAdapt Acme': sent; user_id is 'u1', not 'u2'
  near miss   identify to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the \
required field 'email'; outcome is 'rejected', not 'sent'
  calls       3 came in (1 not accepted), the last at TIME
{TIMELINE_OF_U2}
Other failures:
{DROPPED}""",
        ),
        (
            {"email": "ada@example.com", "times": 1},
            f"""\
expected exactly 1 delivery with email 'ada@example.com'; found 2 among 4
  found       identify to 'StackAdapt Acme': sent
  found       track 'Audience Entered' to 'StackAdapt Acme': sent
  calls       3 came in (1 not accepted), the last at TIME
{TIMELINE_OF_ADA}
{OTHERS}""",
        ),
    ],
)
def test_a_missing_delivery_is_printed(segment: ExpectingSegment, criteria: Any, text: str) -> None:
    assert printed(lambda: segment.expect_delivery(**criteria)) == text


def test_a_delivery_where_nothing_came_in(services: tuple[ExpectingSegment, ExpectingStackAdapt]) -> None:
    assert printed(lambda: services[0].expect_delivery(outcome="sent")) == (
        "expected a delivery with outcome 'sent'; found none, and there is no delivery\n  calls       none came in"
    )


@pytest.mark.parametrize(
    ("criteria", "number"),
    [
        ({}, 3),
        ({"accepted": True, "type": "identify", "times": 2}, 2),
        ({"reason": "event_not_defined"}, 1),
        ({"user_id": "u1"}, 2),
        ({"email": "ADA@example.com"}, 1),
        ({"message_id": "m-2", "user_id": "u2", "accepted": True}, 1),
        ({"user_id": "u9", "times": 0}, 0),
    ],
)
def test_calls_are_found(segment: ExpectingSegment, criteria: Any, number: int) -> None:
    assert len(segment.expect_call(**criteria)) == number


def test_a_missing_call_is_printed(segment: ExpectingSegment) -> None:
    assert printed(lambda: segment.expect_call(type="track", accepted=True)) == (
        """\
expected a call with type 'track' and accepted True; found none among 3
  near miss   identify of u1 (m-1): accepted; type is 'identify', not 'track'
  near miss   identify of u2 (m-2): accepted; type is 'identify', not 'track'
  near miss   track of u1 (m-3): dropped, event_not_defined; accepted is False, not True
  calls       3 came in (1 not accepted), the last at TIME
Failures:
"""
        + "\n".join([DROPPED, *OTHERS.splitlines()[1:]])
    )


def test_a_refused_call_is_a_near_miss(
    services: tuple[ExpectingSegment, ExpectingStackAdapt], emulator: Emulator
) -> None:
    body = {"userId": "u1", "messageId": "m-1", "traits": {}}
    emulator.client.post("/v1/identify", json=body, auth=("wrong", ""))
    segment, _ = services
    assert segment.expect_call(user_id="u1", accepted=False, reason="unknown_source", times=1)
    lines = printed(lambda: segment.expect_call(user_id="u1", accepted=True)).splitlines()
    assert lines[:3] == [
        "expected a call with user_id 'u1' and accepted True; found none among 1",
        (
            "  near miss   identify of u1 (m-1): refused with 400, unknown_source: No source has this write key; "
            "accepted is False, not True"
        ),
        "  calls       1 came in (1 not accepted), the last at TIME",
    ]


@pytest.mark.parametrize(
    ("given", "entered"),
    [({"user_id": "u1"}, True), ({"email": "ada@example.com"}, True), ({"user_id": "u2"}, True)],
)
def test_memberships_are_found(segment: ExpectingSegment, given: Any, entered: bool) -> None:
    assert segment.expect_membership("vip_customers", **given, entered=entered)
    segment.identify(segment.expect_membership("vip_customers", **given)[0]["userId"], {"total_spent": 1})
    segment.expect_membership("vip_customers", **given, entered=False)


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (
            {"user_id": "u1", "entered": False},
            "expected the profile with user_id 'u1' not to be in audience 'vip_customers'; it is",
        ),
        (
            {"user_id": "u9"},
            (
                "expected the profile with user_id 'u9' to be in audience 'vip_customers'; "
                "the Engage space has no such profile"
            ),
        ),
        (
            {"user_id": "u9", "entered": False},
            (
                "expected the profile with user_id 'u9' not to be in audience 'vip_customers'; "
                "the Engage space has no such profile"
            ),
        ),
    ],
)
def test_a_missing_membership_is_printed(segment: ExpectingSegment, arguments: Any, first: str) -> None:
    lines = printed(lambda: segment.expect_membership("vip_customers", **arguments)).splitlines()
    assert lines[0] == first
    assert f"({arguments['user_id']})" in lines[1]


def test_what_a_person_is_in_is_printed(segment: ExpectingSegment) -> None:
    segment.identify("u1", {"total_spent": 1})
    assert printed(lambda: segment.expect_membership("vip_customers", user_id="u1")).splitlines()[0] == (
        "expected the profile with user_id 'u1' to be in audience 'vip_customers'; it is in no audience"
    )


@pytest.mark.parametrize(
    ("criteria", "number"),
    [
        ({}, 2),
        ({"reason": "MISSING_EMAIL", "times": 1}, 1),
        ({"user_id": "u2"}, 1),
        ({"external_id": "u2", "email": "BOB@"}, 1),
        ({"user_id": "u1", "times": 0}, 0),
    ],
)
def test_rejections_are_found(stackadapt: ExpectingStackAdapt, criteria: Any, number: int) -> None:
    assert len(stackadapt.expect_rejection(**criteria)) == number


def test_a_missing_rejection_is_printed(stackadapt: ExpectingStackAdapt) -> None:
    assert printed(lambda: stackadapt.expect_rejection(user_id="u2", reason="MISSING_EMAIL")) == (
        """\
expected a rejected record with reason 'MISSING_EMAIL' and user_id 'u2'; found none among 2
  near miss   record {"first_name": "Ada"}: rejected, MISSING_EMAIL: The record has no email, and its external id \
belongs to no profile; key 'first_name' is in no active mapping; user_id is none, not 'u2'
  near miss   record {"email": "bob@", "userId": "u2"}: rejected, INVALID_EMAIL: The record's email is not a valid \
address; reason is 'INVALID_EMAIL', not 'MISSING_EMAIL'
(u2)
  StackAdapt  record: rejected, INVALID_EMAIL: The record's email is not a valid address.
  profile     none visible
Stopped at the record (INVALID_EMAIL): StackAdapt rejected the record: The record's email is not a valid address
  Found: {"email": "bob@", "userId": "u2"}
  What to do: Correct the email.
  Smallest change that lets it through, found by running it again:
    send the record with email: "bob@example.com"
Other failures:
  StackAdapt  record {"first_name": "Ada"}: rejected, MISSING_EMAIL: The record has no email, and its external id \
belongs to no profile; key 'first_name' is in no active mapping"""
    )


def test_a_waiting_record_counts_when_asked_for() -> None:
    waiting = {"userId": "u1", "audienceId": "a", "audienceName": "vip", "action": "enter"}
    with Emulator(load_workspace().with_options(api_version="2024-12")) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        stackadapt = ExpectingStackAdapt(sandbox_at(client))
        records = json.dumps(json.dumps([waiting]))
        given = f'advertiserId: 1001, externalProvider: "segment_io", profiles: {records}'
        stackadapt.post(f"mutation {{ upsertProfiles(input: {{{given}}}) {{ userErrors {{ message }} }} }}")
        for criteria in ({"pending": True}, {"reason": "WAITS_FOR_PROFILE"}, {"pending": True, "external_id": "u1"}):
            (found,) = stackadapt.expect_rejection(**criteria)  # type: ignore[arg-type]  # of mixed types
            assert (found["record"], found["waitsFor"]) == (waiting, "u1")
        lines = printed(lambda: stackadapt.expect_rejection(user_id="u1")).splitlines()
    assert lines[0] == "expected a rejected record with user_id 'u1'; found none, and there is no rejected record"
    assert lines[1].startswith(f"  waiting     record {json.dumps(waiting)}: pending, WAITS_FOR_PROFILE: ")
    assert ", waits for u1" in lines[1]
    assert lines[1].endswith(" (pending=True counts it)")


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        (
            "expect_delivery",
            {"outcom": "sent"},
            "expect_delivery: unknown argument 'outcom'. {} Did you mean 'outcome'?",
        ),
        ("expect_call", {"typ": "track"}, "expect_call: unknown argument 'typ'. {} Did you mean 'type'?"),
        ("expect_call", {"type": "trak"}, "expect_call: type: unknown type of call 'trak'. {} Did you mean 'track'?"),
        ("expect_delivery", {"outcome": "snet"}, "outcome: invalid value. Found: 'snet'. {} Did you mean 'sent'?"),
        ("expect_delivery", {"times": -1}, "expect_delivery: times: invalid number. Found: -1. Allowed: 0 or more."),
        (
            "enter_audience",
            {"audience": "a", "emial": "a@b.co"},
            "enter_audience: unknown argument 'emial'. {} Did you mean 'email'?",
        ),
        ("identify", {"user_id": "u1", "trait": {}}, "identify: unknown argument 'trait'. {} Did you mean 'traits'?"),
        (
            "identify",
            {"user_id": "u1", "contxt": {}},
            "identify: unknown argument 'contxt'. {} Did you mean 'context'?",
        ),
        ("expect_membership", {"user_id": "u1"}, "expect_membership: missing a required argument: 'audience_key'. {}"),
        (
            "expect_membership",
            {"audience_key": "vip_customers"},
            "expect_membership: a person is required. Allowed: user_id, email.",
        ),
        (
            "expect_membership",
            {"audience_key": "vip", "user_id": "u1"},
            "expect_membership: unknown audience 'vip'. {}",
        ),
    ],
)
def test_a_misspelled_argument_is_refused(segment: ExpectingSegment, method: str, arguments: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        getattr(segment, method)(**arguments)
    start, _, end = message.partition("{}")
    assert str(refused.value).startswith(start)
    assert str(refused.value).endswith(end)


def test_a_misspelled_argument_is_refused_before_anything_is_sent(
    services: tuple[ExpectingSegment, ExpectingStackAdapt], emulator: Emulator
) -> None:
    _, stackadapt = services
    with pytest.raises(UnknownName, match="post: unknown argument 'varables'.*Did you mean 'variables'"):
        stackadapt.post("{ user { email } }", varables={})  # type: ignore[call-arg]  # the mistake
    assert emulator.sandbox.journal.entries(GraphQLExchanged) == []


def test_an_unknown_unit_of_time_is_refused(services: tuple[ExpectingSegment, ExpectingStackAdapt]) -> None:
    _, stackadapt = services
    with pytest.raises(UnknownName, match="advance: unknown argument 'hour'.*Did you mean 'hours'"):
        stackadapt.clock.advance(hour=4)


def test_an_error_has_no_frames_of_the_emulator(segment: ExpectingSegment) -> None:
    with pytest.raises(Unmet) as failure:
        segment.expect_delivery(user_id="u9")
    shown = [entry for entry in failure.traceback if not entry.ishidden(failure)]
    assert [Path(entry.path).name for entry in shown] == [Path(__file__).name]


def facts(item: Shown) -> dict[str, list[object]]:
    return {name: [value] for name, value in item.items()}


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ({"a": 1, "b": 1}, [{"a": 1, "b": 2}, {"a": 2, "b": 1}]),
        ({"a": 3}, [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 2}]),
        ({"a": 3, "b": 3}, []),
        ({}, []),
    ],
)
def test_an_item_with_none_of_several_values_is_no_near_miss(wanted: Shown, near: list[Shown]) -> None:
    items = [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 2}]
    criteria = Criteria(what=("item", "items"), wanted=wanted, times=None, facts=facts, line=str)
    assert criteria.nearest(items) == near
