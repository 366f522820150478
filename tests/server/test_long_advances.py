"""A long advance of the clock shows how far it is, holds no other request, and says where it stopped when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.clock import Clock
from emulator.events import MembershipChanged
from emulator.segment import Segment
from emulator.segment.delivery.dispatcher import Dispatcher
from emulator.segment.delivery.queue import Queue
from emulator.segment.engage.engine import Engage
from emulator.store_failures import StoreFailure
from emulator.workspace import parse_workspace
from emulator.workspace_file import read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEFT_AT = NOON + timedelta(days=30)
END = NOON + timedelta(days=31)
PEOPLE = 20
SECONDS_ALLOWED = 20
WRITE = {"authorization": "Bearer sa-local-write"}
KEY = {"authorization": "Basic c2VnbWVudC1sb2NhbDo="}
SIZE = {"query": "{ cdpProfiles(advertiserId: 1001) { size } }"}

Act = Callable[[Emulator], object]


@contextmanager
def everyone_ordered() -> Iterator[Emulator]:
    """An emulator with people who have all ordered at noon, within the 30 days of an audience."""
    document = json.loads(json.dumps(read(fixture("workspace.yaml")))) | {"seed": 1}
    condition = {"event": "Order", "within": "30d"}
    document["audiences"] = [{"key": "recent", "id": "aud_r", "name": "recent", "condition": condition}]
    document["destinations"][0]["audiences"] = [{"key": "recent", "sendTrack": False, "email": True}]
    with Emulator(parse_workspace(document), clock=Clock(frozen_at=NOON)) as emulator:
        calls: list[dict[str, Any]] = []
        for number in range(PEOPLE):
            who = {"userId": f"u{number}"}
            calls.append(who | {"type": "identify", "traits": {"email": f"{number}@example.com"}})
            calls.append(who | {"type": "track", "event": "Order"})
        emulator.segment.ingest("batch", {"batch": calls})
        yield emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with everyone_ordered() as emulator:
        yield emulator


def on_the_way(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator, method: tuple[type, str], act: Callable[[], None]
) -> None:
    """Calls `act` once, before the method is called at the time at which everyone leaves."""
    acts, (owner, name) = iter([act]), method
    original = getattr(owner, name)

    def acting(*given: Any, **named: Any) -> Any:
        if emulator.sandbox.clock.now() == LEFT_AT:
            next(acts, lambda: None)()
        return original(*given, **named)

    monkeypatch.setattr(owner, name, acting)


@contextmanager
def advancing(monkeypatch: pytest.MonkeyPatch, emulator: Emulator, method: tuple[type, str]) -> Iterator[None]:
    """Within the block, an advance over 31 days waits before a method that it calls when everyone leaves."""
    reached, released = Event(), Event()

    def wait() -> None:
        reached.set()
        assert released.wait(SECONDS_ALLOWED)

    on_the_way(monkeypatch, emulator, method, wait)
    with ThreadPoolExecutor(1) as threads:
        advance = threads.submit(emulator.services.advance, timedelta(days=31))
        try:
            assert reached.wait(SECONDS_ALLOWED)
            yield
        finally:
            released.set()
        advance.result(SECONDS_ALLOWED)


COMPUTING, SENDING = (Segment, "_apply_due"), (Dispatcher, "_attempt")


def got(emulator: Emulator, path: str) -> Any:
    answer = emulator.client.get(f"/_emulator/{path}")
    assert answer.status_code == 200, answer.json
    return answer.json


def now(emulator: Emulator) -> datetime:
    return datetime.fromisoformat(got(emulator, "clock")["now"])


def size(emulator: Emulator) -> int:
    [audience] = got(emulator, "audiences")["audiences"]
    number: int = audience["size"]
    return number


def outcome(emulator: Emulator) -> Any:
    """Every change of membership, in the order of each profile, and what both services have in the end."""
    changes = sorted(
        emulator.sandbox.journal.entries(MembershipChanged), key=lambda change: (change.profile_id, change.at)
    )
    profiles = sorted(got(emulator, "profiles")["profiles"], key=lambda profile: profile["email"])
    deliveries = [(each["userId"], each["outcome"]) for each in got(emulator, "deliveries?limit=1000")["deliveries"]]
    return (
        [(change.profile_id, change.at, change.entered) for change in changes],
        # Not since when: an exit and an entry that are sent together leave a membership as it was.
        [(profile["email"], [audience["id"] for audience in profile["audiences"]]) for profile in profiles],
        sorted(deliveries),
        size(emulator),
    )


@pytest.mark.parametrize(("method", "left"), [(COMPUTING, (PEOPLE, 0)), (SENDING, (0, PEOPLE))])
def test_others_are_answered_meanwhile_and_see_what_is_left(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, method: tuple[type, str], left: tuple[int, int]
) -> None:
    assert "advance" not in got(emulator, "clock")
    with advancing(monkeypatch, emulator, method):
        assert now(emulator) == LEFT_AT
        profiles, events = left
        shown = {"until": "2026-04-01T12:00:00.000Z", "profilesDue": profiles, "eventsQueued": events}
        assert got(emulator, "clock")["advance"] == shown
        assert got(emulator, "health")["status"] == "ok"
        assert emulator.client.post("/graphql", json=SIZE, headers=WRITE).json == {
            "data": {"cdpProfiles": {"size": PEOPLE}}
        }
        assert size(emulator) == profiles
        assert got(emulator, "counts")
        who = {"userId": "u0", "traits": {"plan": "pro"}}
        assert emulator.client.post("/v1/identify", json=who, headers=KEY).status_code == 200
    assert "advance" not in got(emulator, "clock")
    assert (now(emulator), size(emulator)) == (END, 0)
    assert {each["outcome"] for each in got(emulator, "deliveries?limit=1000")["deliveries"]} == {"sent"}


ACTS: dict[str, Act] = {
    "identify": lambda emulator: emulator.segment.ingest("identify", {"userId": "u0", "traits": {"plan": "pro"}}),
    "new email": lambda emulator: emulator.segment.ingest("identify", {"userId": "u0", "traits": {"email": "n@x.org"}}),
    "order again": lambda emulator: emulator.segment.ingest("track", {"userId": "u1", "event": "Order"}),
    "new person": lambda emulator: emulator.segment.ingest("identify", {"userId": "n", "traits": {"email": "n@x.org"}}),
    "set": lambda emulator: emulator.segment.set_membership("recent", entered=True, user_id="u2"),
    "compute": lambda emulator: emulator.segment.compute("recent"),
    "query": lambda emulator: emulator.segment.explain_audiences(),
}


@pytest.mark.parametrize("method", [COMPUTING, SENDING])
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_what_others_do_meanwhile_has_the_effect_that_it_has_at_that_time(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, act: Act, method: tuple[type, str]
) -> None:
    with advancing(monkeypatch, emulator, method):
        act(emulator)
    with everyone_ordered() as alone:
        alone.services.advance(timedelta(days=30))
        act(alone)
        alone.services.advance(timedelta(days=1))
        assert outcome(emulator) == outcome(alone)


def test_one_advance_follows_another(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as threads:
        with advancing(monkeypatch, emulator, SENDING):
            second = threads.submit(emulator.services.advance, timedelta(days=2))
        second.result(SECONDS_ALLOWED)
    assert now(emulator) == END + timedelta(days=2)


@pytest.mark.parametrize("method", [COMPUTING, SENDING, (Engage, "apply_due"), (Queue, "save")])
def test_an_advance_that_fails_on_the_way_says_where_the_clock_stopped_and_can_go_on(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, method: tuple[type, str]
) -> None:
    def fail() -> None:
        raise StoreFailure("the disk is full", where="a.sqlite", hint="Free some space.", retry_after=1)

    on_the_way(monkeypatch, emulator, method, fail)
    failed = emulator.client.post("/_emulator/clock/advance", json={"days": 31})
    assert failed.status_code == 503
    # The same advance again would lead too far.
    assert "Retry-After" not in failed.headers
    assert failed.json == {
        "error": "AdvanceStopped",
        "message": "the disk is full; the clock stopped at 2026-03-31T12:00:00.000Z",
        "where": "a.sqlite",
        "hint": "Free some space. What is due by then follows with the next request. Then advance by the 86400 seconds"
        " that are left.",
    }
    assert got(emulator, "clock") == {"now": "2026-03-31T12:00:00.000Z", "frozen": True, "aheadSeconds": 0.0}
    assert size(emulator) == 0
    emulator.services.advance(timedelta(seconds=86400))
    with everyone_ordered() as whole:
        whole.services.advance(timedelta(days=31))
        assert outcome(emulator) == outcome(whole)
