"""`GET /_emulator/wait`: what it waits for, what it answers, and how many may wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from emulator import Emulator, Unmet, load_workspace
from emulator.clock import polls, stopwatch
from emulator.errors import InputError
from emulator.events import CallReceived
from emulator.harness.client import sandbox_at
from emulator.harness.expectations import ExpectingStackAdapt
from emulator.journal import Journal
from emulator.protocol import SANDBOX_HEADER
from emulator.server.changes import Changes
from emulator.server.control.request_args import document
from emulator.server.control.wait import _LISTS, MOST_WAITS

LONG_SECONDS = 30
HINT = "GET /_emulator/counts has the totals, GET /_emulator/deliveries and /_emulator/rejections the reasons."
VIP = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=emulator.start(), trust_env=False, timeout=2 * LONG_SECONDS) as client:
        yield client


def identify(client: httpx.Client, body: Any, key: str = "segment-local") -> None:
    client.post("/v1/identify", json=body, auth=(key, "")).raise_for_status()


def waiting(client: httpx.Client, **asked: str) -> Callable[[], httpx.Response]:
    return lambda: client.get("/_emulator/wait", params={"timeout": f"{LONG_SECONDS}s", **asked})


@pytest.mark.parametrize(
    ("asked", "body", "shown"),
    [
        ({"for": "profile", "email": "ADA@example.com"}, VIP, {"email": "ada@example.com"}),
        ({"for": "delivery", "outcome": "sent", "userId": "u1"}, VIP, {"userId": "u1", "outcome": "sent"}),
        (
            {"for": "delivery", "outcome": "rejected"},
            {"userId": "u2", "traits": {"total_spent": 900}},
            {"userId": "u2"},
        ),
        ({"for": "record", "email": "ada@example.com", "outcome": "visible"}, VIP, {"outcome": "visible"}),
        ({"for": "call", "accepted": "false"}, {}, {"accepted": False, "call": "identify"}),
        (
            {"for": "rejection", "reason": "INVALID_EMAIL"},
            {"userId": "u3", "traits": {"email": "a@" + "b" * 260 + ".co", "total_spent": 900}},
            {"reason": "INVALID_EMAIL"},
        ),
    ],
)
def test_a_request_waits_until_it_happens(client: httpx.Client, asked: Any, body: Any, shown: dict[str, Any]) -> None:
    elapsed = stopwatch()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(waiting(client, **asked))
        identify(client, body)
        response = answer.result()
    assert response.status_code == 200, response.text
    assert response.json()[asked["for"]].items() >= shown.items()
    assert elapsed() < LONG_SECONDS * 1000


def test_what_has_happened_already_is_returned_at_once(emulator: Emulator) -> None:
    emulator.client.post("/v1/identify", json=VIP, auth=("segment-local", ""))
    response = emulator.client.get("/_emulator/wait?for=profile&timeout=0s")
    assert (response.status_code, response.get_json()["profile"]["email"]) == (200, "ada@example.com")


def test_a_profile_becomes_visible_with_the_time(client: httpx.Client, emulator: Emulator) -> None:
    slow = load_workspace().with_options(latency="0.5s")
    with Emulator(slow) as late, httpx.Client(base_url=late.start(), trust_env=False, timeout=LONG_SECONDS) as to_late:
        identify(to_late, VIP)
        assert waiting(to_late, **{"for": "profile"})().json()["profile"]["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("bodies", "found"),
    [
        ([], "0 calls; deliveries: none; records: none; visible profiles: 0"),
        (
            [{"userId": "u1", "traits": {"total_spent": 900}}, {}],
            (
                "2 calls, 1 of them not accepted, the last at 2026-03-01T12:00:00.000Z; deliveries: 2 rejected; "
                "records: none; visible profiles: 0"
            ),
        ),
    ],
)
def test_the_end_of_the_time_says_what_happened_instead(emulator: Emulator, bodies: list[Any], found: str) -> None:
    emulator.sandbox.clock.freeze(at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    for body in bodies:
        emulator.client.post("/v1/identify", json=body, auth=("segment-local", ""))
    response = emulator.client.get("/_emulator/wait?for=profile&email=ada@example.com&timeout=0s")
    assert response.status_code == 408
    assert response.get_json() == {
        "error": "WaitTimedOut",
        "message": "no profile with email 'ada@example.com' within 0 s",
        "where": "wait",
        "found": found,
        "hint": HINT,
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "for: this parameter is required. Allowed: profile, rejection, delivery, record, call."),
        ("for=prfile", "Did you mean 'profile'?"),
        ("for=profile&emial=a", "unknown parameter 'emial'. Known: for, timeout, "),
        (
            "for=profile&userId=u1",
            "userId: unknown parameter 'userId'. Known: after, before, advertiserId, email, externalId, limit, offset.",
        ),
        ("for=call&timeout=61s", "timeout: this is too long to wait. Found: '61s'. Allowed: at most 60s."),
        ("for=call&timeout=soon", "timeout: this string has the wrong format. Found: 'soon'."),
        ("for=delivery&outcome=snet", "Did you mean 'sent'?"),
    ],
)
def test_a_wrong_question_is_refused_at_once(emulator: Emulator, query: str, message: str) -> None:
    response = emulator.client.get(f"/_emulator/wait?{query}")
    assert response.status_code == 400
    parts = {name: value for name, value in response.get_json().items() if name not in ("error", "message")}
    assert message in str(InputError(response.get_json()["message"], **parts))


def test_a_sandbox_is_waited_for_under_its_name(emulator: Emulator) -> None:
    sandbox = emulator.client.post("/_emulator/sandboxes", json={"name": "checkout"}).get_json()
    emulator.client.post("/v1/identify", json=VIP, auth=(sandbox["writeKey"], ""))
    asked = "/_emulator/wait?for=call&timeout=0s"
    assert emulator.client.get(asked).status_code == 408
    assert emulator.client.get(asked, headers={SANDBOX_HEADER: "checkout"}).status_code == 200
    assert emulator.client.get(asked, headers={"authorization": f"Bearer {sandbox['token']}"}).status_code == 200
    assert emulator.client.get(asked, headers={SANDBOX_HEADER: "other"}).status_code == 404


@pytest.mark.one_process
def test_some_threads_always_keep_serving(client: httpx.Client) -> None:
    with ThreadPoolExecutor(MOST_WAITS) as threads:
        answers = [threads.submit(waiting(client, **{"for": "call"})) for _ in range(MOST_WAITS)]
        refused = next(
            response
            for _ in polls(LONG_SECONDS, every=0.01)
            if (response := waiting(client, **{"for": "call", "timeout": "0s"})()).status_code == 503
        )
        identify(client, VIP)
        assert [answer.result().status_code for answer in answers] == [200] * MOST_WAITS
    assert refused.headers["Retry-After"] == "1"
    assert refused.json() == {
        "error": "CannotWait",
        "message": "20 requests are waiting already",
        "where": "wait",
        "hint": "Ask again when one has been answered, or read the list itself.",
    }
    assert waiting(client, **{"for": "call"})().status_code == 200


@pytest.mark.one_process
def test_a_stop_ends_a_wait(client: httpx.Client, emulator: Emulator) -> None:
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(waiting(client, **{"for": "call"}))
        emulator.end_waits()
        assert (answer.result().status_code, answer.result().json()["message"]) == (503, "the emulator is stopping")


def test_an_event_ends_a_wait() -> None:
    journal = Journal()
    changes = Changes(journal)
    event = CallReceived(
        at=datetime(2026, 3, 1, tzinfo=UTC), source="site", call="track", message_id="m-1", accepted=True
    )
    elapsed = stopwatch()
    with ThreadPoolExecutor() as threads:
        done = threads.submit(changes.wait, changes.number, seconds=LONG_SECONDS)
        journal.append(event)
        done.result()
    changes.wait(0, seconds=LONG_SECONDS)
    assert elapsed() < LONG_SECONDS * 1000
    assert changes.number == 1


def test_the_filters_are_those_of_the_lists() -> None:
    paths = document()["paths"]

    def filters(path: str) -> set[str]:
        return {each["name"] for each in paths[path]["get"]["parameters"] if "name" in each} | {
            "advertiserId"
            for each in paths[path]["get"]["parameters"]
            if each.get("$ref", "").endswith("/AdvertiserId")
        }

    lists = set[str]().union(*(filters(f"/_emulator/{name}") for name in _LISTS.values()))
    assert filters("/_emulator/wait") == {"for", "timeout"} | lists


def test_an_expectation_can_wait(client: httpx.Client) -> None:
    stackadapt = ExpectingStackAdapt(sandbox_at(client))
    with ThreadPoolExecutor() as threads:
        found = threads.submit(stackadapt.expect_profile, email="ada@example.com", within=f"{LONG_SECONDS}s")
        identify(client, VIP)
        assert found.result().email == "ada@example.com"
    with pytest.raises(Unmet, match=r"for bob@example.com at advertiser 1001; none found after 0\.01 s\n"):
        stackadapt.expect_profile(email="bob@example.com", within="0.01s")
    with pytest.raises(InputError, match="this is too long to wait"):
        stackadapt.expect_profile(email="bob@example.com", within="2m")
    with pytest.raises(InputError, match="within: invalid duration"):
        stackadapt.expect_profile(email="bob@example.com", within="soon")
