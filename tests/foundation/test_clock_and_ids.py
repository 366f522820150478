from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from emulator import Emulator
from emulator.clock import Clock, to_iso
from emulator.errors import InputError
from emulator.ids import Ids, base62, secret

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_frozen_clock_moves_on_request_only() -> None:
    clock = Clock(frozen_at=NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(hours=4)) == NOON + timedelta(hours=4) == clock.now()


def test_a_running_clock_keeps_its_offset() -> None:
    clock = Clock()
    before = clock.now()
    clock.advance(timedelta(days=1))
    assert timedelta(days=1) <= clock.now() - before < timedelta(days=1, minutes=1)
    assert clock.offset == timedelta(days=1)


def test_a_clock_never_runs_backwards() -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        Clock().advance(timedelta(seconds=-1))


def test_a_resumed_clock_continues_from_its_time() -> None:
    clock = Clock()
    clock.freeze(NOON)
    clock.resume()
    assert not clock.frozen
    assert timedelta() <= clock.now() - NOON < timedelta(minutes=1)


def test_reset_returns_to_the_machine_s_time() -> None:
    clock = Clock(frozen_at=NOON)
    clock.reset()
    assert not clock.frozen
    assert clock.offset == timedelta()


def test_timestamps_have_the_format_of_both_services() -> None:
    assert to_iso(NOON) == "2026-01-15T12:00:00.000Z"


def test_the_same_seed_gives_the_same_ids() -> None:
    first, second = Ids(7), Ids(7)
    assert [first.uuid(), first.trace_id(), first.ksuid(NOON)] == [
        second.uuid(),
        second.trace_id(),
        second.ksuid(NOON),
    ]
    assert Ids(8).uuid() != Ids(7).uuid()


def test_without_a_seed_ids_differ() -> None:
    assert Ids().uuid() != Ids().uuid()


def test_a_named_stream_depends_on_the_seed_and_its_name_only() -> None:
    ids = Ids(7)
    expected = ids.stream("person", 3).random()
    ids.uuid()
    assert ids.stream("person", 3).random() == expected
    assert ids.stream("person", 4).random() != expected


@pytest.mark.parametrize("year", [1, 1969, 2013, 9000, 9999])
def test_everything_works_at_any_time(year: int) -> None:
    with Emulator(clock=Clock(frozen_at=datetime(year, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC))) as emulator:
        client = emulator.client
        body = {
            "userId": "u1",
            "traits": {"email": "ada@example.com", "total_spent": 900, "createdAt": f"{year:04}-01-01"},
        }
        assert client.post("/v1/identify", json=body, auth=("segment-local", "")).status_code == 200
        assert [each["email"] for each in emulator.stackadapt.profiles()] == ["ada@example.com"]
        for path in (
            "records",
            "deliveries",
            "batches",
            "space/profiles",
            "why?email=ada@example.com",
            "snapshot",
        ):
            assert client.get(f"/_emulator/{path}").status_code == 200
        assert client.post("/_emulator/clock/advance", json={"duration": "4h"}).status_code == (
            200 if year < 9000 else 400
        )


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=timezone(HOUR)), datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-HOUR))]
)
def test_a_clock_is_not_set_to_a_time_that_utc_does_not_have(at: datetime) -> None:
    with pytest.raises(InputError, match=r"clock: the time has no date in UTC\. Found: "):
        Clock(frozen_at=at)
    with pytest.raises(InputError, match="no date in UTC"):
        Clock().freeze(at)


@pytest.mark.parametrize(
    "at", ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z"]
)
def test_the_time_of_an_event_may_be_any(at: str) -> None:
    with Emulator() as emulator:
        times = {"timestamp": at, "sentAt": at, "originalTimestamp": at}
        body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}, **times}
        assert emulator.client.post("/v1/identify", json=body, auth=("segment-local", "")).status_code == 200
        assert [each["email"] for each in emulator.stackadapt.profiles()] == ["ada@example.com"]


def test_a_ksuid_contains_its_second() -> None:
    """Decoding the documented message id gives the second of the event (captured sample of May 2024)."""
    value = 0
    for character in Ids(1).ksuid(NOON):
        value = value * 62 + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".index(character)
    assert (value >> 128) + 1_400_000_000 == int(NOON.timestamp())


def test_ksuids_drawn_together_are_those_drawn_one_by_one() -> None:
    together, one_by_one = Ids(7), Ids(7)
    for count in (0, 1, 3, 50):
        assert together.ksuids(NOON, count) == [one_by_one.ksuid(NOON) for _ in range(count)]


def test_ids_have_the_vendors_formats() -> None:
    ids = Ids(1)
    assert len(ids.ksuid(NOON)) == 27
    assert len(ids.trace_id()) == 32
    assert ids.uuid()[14] == "4"
    assert [ids.number(), ids.number()] == [1, 2]
    assert base62(61, 3) == "00z"
    assert secret("sa-").startswith("sa-")
