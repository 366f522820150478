"""The expected outcome of the demo, and the sums of its funnel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.harness.demo import FailedBatch, Funnel, SegmentCount
from emulator.harness.expected import ExpectedOutcome, has_valid_email

TRAITS = ("first_name", "email")


def call(user: str, spent: float = 900, **traits: Any) -> dict[str, Any]:
    return {"userId": user, "traits": {"email": f"{user}@example.com", "total_spent": spent, **traits}}


def expected_outcome(batch_size: int = 2) -> ExpectedOutcome:
    return ExpectedOutcome(batch_size, TRAITS)


def test_a_vip_with_an_email_is_a_member() -> None:
    expected = expected_outcome()
    expected.request([call("U1"), call("u2", spent=10)])
    assert expected.members == expected.profiles == {"u1@example.com"}


def test_leaving_keeps_the_profile() -> None:
    expected = expected_outcome()
    expected.request([call("u1")])
    expected.request([call("u1", spent=1)])
    assert (expected.members, expected.profiles) == (set(), {"u1@example.com"})


def test_a_person_without_a_valid_email_has_no_profile() -> None:
    expected = expected_outcome()
    expected.request([{"userId": "u1", "traits": {"total_spent": 900}}, call("u2", email="not an address")])
    assert expected.profiles == set()


@pytest.mark.parametrize("name", ['Ada "A"', "two\nlines", "C:\\new"])
def test_a_breaking_value_loses_its_batch_only(name: str) -> None:
    expected = expected_outcome(batch_size=2)
    expected.request([call("u1"), call("u2", first_name=name), call("u3")])
    assert expected.members == {"u1@example.com", "u3@example.com"}


def test_a_breaking_value_of_a_rejected_event_has_no_effect() -> None:
    expected = expected_outcome(batch_size=4)
    expected.request([call("u1"), call("u2", first_name='"', email="nope")])
    assert expected.members == {"u1@example.com"}


def test_an_email_too_long_for_stackadapt_has_no_profile() -> None:
    expected = expected_outcome()
    expected.request([call("u1", email="a" * 250 + "@example.com")])
    assert expected.profiles == set()


@pytest.mark.parametrize(
    ("email", "good"),
    [("a@b.co", True), ("a@b", False), ("", False), ("a b@c.com", False), ("é@b.com", False), ("a@b.com\n", False)],
)
def test_emails_are_validated_as_in_segment(email: str, good: bool) -> None:
    assert has_valid_email({"email": email}) is good


FUNNEL = Funnel(
    people=3,
    calls=3,
    calls_accepted=3,
    events=7,
    not_triggered=1,
    rejected_by_mapping={"no email": 1},
    failed_batches=(FailedBatch(reason="X", error="x", locations=(), events=("m1",), segment_reports="delivered"),),
    sent=4,
    rejected_by_stackadapt={"INVALID_EMAIL": 1},
    waiting=1,
    applied=2,
    profiles=frozenset({"a@b.co"}),
    expected_profiles=frozenset({"a@b.co"}),
    invalid_profiles=(),
    segments=(SegmentCount(name="VIPs", rule={}, members=frozenset({"a@b.co"}), expected=frozenset({"a@b.co"})),),
)


def test_a_balanced_funnel_has_no_imbalances() -> None:
    assert FUNNEL.imbalances() == []
    assert FUNNEL.as_dict()["balanced"] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calls_accepted": 2}, "3 calls were made, 2 were accepted"),
        ({"not_triggered": 0}, "7 events were emitted for the destination, 6 have an outcome"),
        ({"applied": 1}, "4 records were sent, 3 have an outcome"),
        ({"waiting": 0}, "4 records were sent, 3 have an outcome"),
        ({"invalid_profiles": ("invalid",)}, "without a valid email are visible: invalid"),
        ({"expected_profiles": frozenset()}, "visible profiles: 1 found, 0 expected"),
        (
            {"segments": (SegmentCount(name="VIPs", rule={}, members=frozenset(), expected=frozenset({"a"})),)},
            "segment 'VIPs': 0 found, 1 expected (0 too many, 1 missing)",
        ),
    ],
)
def test_a_sum_that_does_not_balance_is_reported(change: dict[str, Any], message: str) -> None:
    [found] = replace(FUNNEL, **change).imbalances()
    assert message in found
