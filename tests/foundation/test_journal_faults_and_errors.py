from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.durations import parse_duration
from emulator.errors import ContractViolation, EmulatorError, InputError, NotFound, UserMistake, nearest
from emulator.events import CallReceived, MembershipChanged
from emulator.journal import Journal

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def change(number: int) -> MembershipChanged:
    return MembershipChanged(at=NOW, audience_key="vip", profile_id=str(number), entered=True)


def test_the_journal_keeps_the_newest_and_tells_its_listeners() -> None:
    journal = Journal(capacity=2)
    heard: list[Any] = []
    journal.listen(heard.append)
    for number in range(3):
        journal.append(change(number))
    assert [event.profile_id for event in journal.entries(MembershipChanged)] == ["1", "2"]
    assert len(heard) == 3
    assert journal.entries(CallReceived) == []
    journal.clear()
    assert journal.entries(MembershipChanged) == []


def test_durations_are_a_number_and_a_unit() -> None:
    assert parse_duration("1.5h").total_seconds() == 5400
    assert parse_duration("2d").days == 2
    with pytest.raises(InputError, match="latency: this is not a duration. Found: '4 hours'"):
        parse_duration("4 hours", where="latency")


def test_an_error_reads_as_where_what_allowed_and_how() -> None:
    error = UserMistake("this is not a port.", where="--port", found="x", allowed="0 to 65535.", hint="Try 8585.")
    assert str(error) == "--port: this is not a port. Found: 'x'. Allowed: 0 to 65535. Try 8585."
    assert error.as_dict() == {
        "error": "UserMistake",
        "message": "this is not a port.",
        "where": "--port",
        "found": "x",
        "allowed": "0 to 65535.",
        "hint": "Try 8585.",
    }


def test_exit_codes_follow_the_kind_of_error() -> None:
    assert [kind("x").exit_code for kind in (NotFound, UserMistake, ContractViolation, EmulatorError)] == [2, 2, 1, 3]


def test_only_a_close_name_is_proposed() -> None:
    assert nearest("advertisr", ["advertiser", "token"]) == "Did you mean 'advertiser'?"
    assert nearest("zzz", ["advertiser"]) is None
