"""Regulations: "User Deletion and Suppression" in Segment's documentation."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import InputError, UnknownName
from emulator.events import CallReceived
from emulator.segment.delivery.regulation import TYPES
from tests.segment.conftest import OpenEnv, SegmentEnv, answer

DELETED = answer(text='{"data":{"deleteProfilesWithExternalIds":{"userErrors":[]}}}')

# Type; whether the profile is deleted, the deletion is forwarded, and later calls are dropped.
EFFECTS = [
    ("SUPPRESS_ONLY", False, False, True),
    ("UNSUPPRESS", False, False, False),
    ("SUPPRESS_WITH_DELETE", True, True, True),
    ("SUPPRESS_WITH_DELETE_INTERNAL", True, False, True),
    ("DELETE_ONLY", True, True, False),
    ("DELETE_INTERNAL", True, False, False),
]


def test_every_documented_type_is_tested() -> None:
    assert [each[0] for each in EFFECTS] == list(TYPES)


@pytest.mark.parametrize(("regulation_type", "deletes", "forwards", "suppresses"), EFFECTS)
def test_a_type_deletes_forwards_and_suppresses(
    segment_env: SegmentEnv, regulation_type: str, deletes: bool, forwards: bool, suppresses: bool
) -> None:
    segment, user = segment_env.segment, "u1"
    segment_env.identify(user, email="ada@example.com", total_spent=900)
    sent = len(segment_env.transport.requests)
    segment_env.transport.answers.append(DELETED)
    regulation = segment.regulate(regulation_type, [user])
    assert (regulation["regulationType"], regulation["overallStatus"]) == (regulation_type, "FINISHED")
    [subject] = regulation["subjects"]
    assert (subject["deleted"], bool(subject["destinations"])) == (deletes, forwards)
    assert len(segment_env.transport.requests) == sent + forwards
    assert bool(segment.profiles(user_id=user)) is not deletes
    assert [each["userId"] for each in segment.suppressions()] == [user] * suppresses
    receipt = segment.ingest("identify", {"userId": user, "messageId": "m", "traits": {"total_spent": 901}})
    assert [each.reason for each in receipt.failed] == ["USER_SUPPRESSED"] * suppresses
    assert bool(segment.profiles(user_id=user)) is not (deletes and suppresses)
    assert segment.regulations() == [regulation]


def test_a_suppressed_user_stays_away_until_the_suppression_ends(segment_env: SegmentEnv) -> None:
    segment = segment_env.segment
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    segment.regulate("SUPPRESS_WITH_DELETE", ["u1"])
    identify = {"userId": "u1", "messageId": "m", "traits": {"email": "ada@example.com", "total_spent": 900}}
    for route, call in (("identify", identify), ("track", {"userId": "u1", "event": "e"})):
        assert segment.ingest(route, call).accepted == 0
    assert (segment.profiles(), segment_env.payloads()) == ([], [])
    segment.regulate("UNSUPPRESS", ["u1"])
    assert segment.ingest("identify", identify).accepted == 1, "the call that was dropped is no duplicate"
    assert segment.members("vip_customers")[0]["userId"] == "u1"


def test_only_the_calls_of_the_suppressed_user_are_dropped_from_a_batch(segment_env: SegmentEnv) -> None:
    segment = segment_env.segment
    segment.regulate("SUPPRESS_ONLY", ["u1", "u3", "u1"])
    calls = [{"type": "identify", "userId": user, "traits": {}} for user in ("u1", "u2", "u3")]
    receipt = segment.ingest("batch", {"batch": [*calls, {"type": "identify", "anonymousId": "u1"}]})
    assert (receipt.accepted, len(receipt.failed)) == (2, 2)
    heard = [(each.user_id, each.reason, each.status) for each in segment_env.heard(CallReceived)]
    assert heard == [
        ("u1", "USER_SUPPRESSED", 200),
        ("u2", None, 200),
        ("u3", "USER_SUPPRESSED", 200),
        (None, None, 200),
    ]


def test_a_regulation_has_the_status_of_its_worst_destination(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers += [answer(500, "no"), DELETED]
    regulation = segment_env.segment.regulate("DELETE_ONLY", ["u1", "u2"])
    assert [subject["destinations"][0]["outcome"] for subject in regulation["subjects"]] == ["failed", "sent"]
    assert regulation["overallStatus"] == "FAILED"


def test_a_wrong_type_and_a_wrong_number_of_users_are_refused(segment_env: SegmentEnv) -> None:
    segment = segment_env.segment
    with pytest.raises(UnknownName, match="unknown regulation type 'SUPPRESS'.*Did you mean"):
        segment.regulate("SUPPRESS", ["u1"])
    for user_ids in ([], [""], [f"u{number}" for number in range(5_001)]):
        with pytest.raises(InputError, match="1 to 5,000"):
            segment.regulate("DELETE_ONLY", user_ids)
    assert segment.regulations() == []


def test_suppressions_outlive_a_restart(open_env: OpenEnv, document: dict[str, Any], tmp_path: Any) -> None:
    open_env(document, store=tmp_path / "s.db").segment.regulate("SUPPRESS_ONLY", ["u1"])
    again = open_env(document, store=tmp_path / "s.db")
    again.identify("u1")
    assert again.segment.profiles() == []
    again.segment.reset()
    again.identify("u1")
    assert [profile["userId"] for profile in again.segment.profiles()] == ["u1"]


def test_the_memberships_of_a_suppressed_user_still_change_with_time(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    document["audiences"][0]["condition"] = {"event": "e", "within": "1h"}
    env = open_env(document)
    env.segment.ingest("track", {"userId": "u1", "event": "e"})
    env.segment.regulate("SUPPRESS_ONLY", ["u1"])
    env.advance(hours=1)
    sent = [payload["traits"]["vip_customers"] for payload in env.payloads() if payload["type"] == "identify"]
    assert sent == [True, False]
