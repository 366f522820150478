from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from emulator.errors import ContractViolation, EmulatorError, InputError, NotFound, UserMistake, nearest, unknown
from emulator.events import CallReceived, MembershipChanged
from emulator.journal import Journal

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def change(number: int) -> MembershipChanged:
    return MembershipChanged(at=NOW, audience_key="vip", profile_id=str(number), entered=True)


def test_the_journal_keeps_the_newest_and_calls_its_listeners() -> None:
    journal = Journal(capacity=2)
    heard: list[Any] = []
    journal.listen(heard.extend)
    for number in range(3):
        journal.append(change(number))
    assert [event.profile_id for event in journal.entries(MembershipChanged)] == ["1", "2"]
    assert len(heard) == 3
    assert journal.entries(CallReceived) == []
    journal.clear()
    assert journal.entries(MembershipChanged) == []


def test_an_error_has_place_message_value_allowed_values_and_hint() -> None:
    error = UserMistake("invalid port", where="--port", found="x", allowed="0 to 65535", hint="Try 8585.")
    assert str(error) == "--port: invalid port. Found: 'x'. Allowed: 0 to 65535. Try 8585."
    assert error.as_dict() == {
        "error": "UserMistake",
        "message": "invalid port",
        "where": "--port",
        "found": "x",
        "allowed": "0 to 65535",
        "hint": "Try 8585.",
    }


def test_exit_codes_follow_the_kind_of_error() -> None:
    assert [kind("x").exit_code for kind in (NotFound, UserMistake, ContractViolation, EmulatorError)] == [2, 2, 1, 3]


def test_only_a_close_name_is_suggested() -> None:
    assert nearest("advertisr", ["advertiser", "token"]) == "Did you mean 'advertiser'?"
    assert nearest("zzz", ["advertiser"]) is None


def test_an_unknown_name_gets_the_known_ones_and_the_closest() -> None:
    error = unknown("audience", "vi", ["vip", "churned"], where="audiences")
    assert str(error) == "audiences: unknown audience 'vi'. Known: vip, churned. Did you mean 'vip'?"
    assert isinstance(error, InputError)
    assert not isinstance(error, NotFound)
    assert isinstance(unknown("sandbox", "x", [], error=NotFound), NotFound)


def test_a_renamed_key_gets_its_new_name() -> None:
    assert unknown("key", "apiEdition", ["apiVersion"]).hint == "'apiEdition' is now 'apiVersion'."


def test_a_message_that_ends_with_a_sentence_gets_no_second_full_stop() -> None:
    assert str(UserMistake("invalid workspace: did you mean 'a'?", hint="Fix it.")) == (
        "invalid workspace: did you mean 'a'? Fix it."
    )
