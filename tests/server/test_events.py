"""The feed: cursors, what was missed, filters, ETags, waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from emulator import Emulator, load_workspace
from emulator.clock import Clock
from emulator.errors import InputError
from emulator.events import KINDS, CallReceived, Event
from emulator.journal import CLEARED, DROPPED, RESTARTED, Journal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = {"userId": "u1", "messageId": "m-ada", "traits": {"email": "Ada@example.com", "total_spent": 900}}
BOB = {"userId": "u2", "messageId": "m-bob", "traits": {"email": "bob@example.com", "total_spent": 900}}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(replace(load_workspace(), seed=1), clock=Clock(frozen_at=NOON)) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return emulator.client


def identify(emulator: Emulator, *calls: dict[str, Any]) -> None:
    for call in calls:
        emulator.segment.ingest("identify", call)


def ask(client: Client, **query: Any) -> dict[str, Any]:
    response = client.get("/_emulator/events", query_string=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def kinds_of(page: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in page["events"]]


def event(number: int) -> Event:
    return CallReceived(at=NOON, source="s", call="track", message_id=str(number), accepted=True)


def numbers_after(journal: Journal, cursor: str | None) -> list[int]:
    return [number for number, _ in journal.after(cursor).events]


def test_a_reader_goes_on_where_it_stopped() -> None:
    journal = Journal()
    start = journal.cursor()
    assert journal.after(start).events == []
    journal.extend([event(1), event(2)])
    middle = journal.cursor()
    journal.append(event(3))
    assert numbers_after(journal, start) == numbers_after(journal, None) == [1, 2, 3]
    assert numbers_after(journal, middle) == [3]
    assert journal.after(middle).missed is None


def test_events_that_were_dropped_are_counted() -> None:
    journal = Journal(capacity=2)
    journal.append(event(1))
    first = journal.cursor()
    journal.extend([event(number) for number in range(2, 6)])
    for cursor, lost in ((first, 2), (None, 3), (journal.cursor(3), None), (journal.cursor(2), 1)):
        following = journal.after(cursor)
        assert [number for number, _ in following.events] == [4, 5]
        assert (following.missed and (following.missed.reason, following.missed.events)) == (lost and (DROPPED, lost))


@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_cursor_from_before_a_reset_is_told_so_even_if_it_had_read_everything(before: int) -> None:
    journal = Journal()
    journal.extend([event(number) for number in range(before)])
    cursor = journal.cursor()
    journal.clear()
    cleared = journal.cursor()
    journal.append(event(9))
    following = journal.after(cursor)
    assert following.missed is not None
    assert following.missed.reason == CLEARED
    assert len(following.events) == 1
    assert journal.after(cleared).missed is None
    assert journal.after(None).missed is None


def test_a_cursor_of_another_journal_gets_everything_that_is_kept() -> None:
    journal = Journal()
    journal.append(event(1))
    following = journal.after(Journal().cursor())
    assert following.missed is not None
    assert (following.missed.reason, following.missed.events) == (RESTARTED, None)
    assert len(following.events) == 1


@pytest.mark.parametrize("text", ["", "x", "1", "0123456-1", "01234567-", "01234567--1", "01234567-١", "G1234567-1"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a cursor"):
        Journal().after(text)


def test_a_cursor_after_the_newest_event_is_refused() -> None:
    journal = Journal()
    with pytest.raises(InputError, match="no event has this cursor yet"):
        journal.after(journal.cursor(1))


def test_one_sync_is_in_the_feed_from_the_call_to_the_record(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA)
    client.post("/_emulator/clock/advance", json={"hours": 4})
    page = ask(client)
    assert set(kinds_of(page)) == set(KINDS) - {"workspace"}
    assert kinds_of(page)[:2] == ["call", "membership"]
    assert [each["cursor"] for each in page["events"]][-1] == page["next"]
    clock = next(each for each in page["events"] if each["kind"] == "clock")
    assert clock["detail"] == {"action": "advanced", "seconds": 14400.0}
    assert clock["at"] == "2026-03-01T16:00:00.000Z"
    assert page["missed"] is None


def test_a_change_of_the_workspace_is_in_the_feed(client: Client) -> None:
    start = ask(client)["next"]
    response = client.patch("/_emulator/workspace", json={"audiences": [], "destinations": []})
    assert response.status_code == 200, response.text
    [event] = ask(client, after=start)["events"]
    assert (event["kind"], event["detail"]) == ("workspace", {"parts": ["audiences", "destinations"]})
    assert event["text"] == "workspace changed: audiences, destinations"


def test_pages_give_every_event_once(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA, BOB)
    whole = ask(client)["events"]
    cursor, paged = None, []
    while len(paged) < len(whole):
        page = ask(client, limit=2, **({"after": cursor} if cursor else {}))
        cursor = page["next"]
        paged += page["events"]
    assert paged == whole
    assert ask(client, after=cursor)["events"] == []


@pytest.mark.parametrize("name", ["u1", "ada@example.com", "ADA@example.com", "m-ada"])
def test_a_person_has_their_events_only(emulator: Emulator, client: Client, name: str) -> None:
    identify(emulator, ADA, BOB)
    client.post("/_emulator/clock/advance", json={"hours": 4})
    page = ask(client, person=name)
    assert set(kinds_of(page)) == {"call", "membership", "delivery", "request", "record"}
    own = [each["detail"] for each in page["events"] if each["kind"] in ("call", "membership", "record")]
    assert {each["email"].lower() for each in own} == {"ada@example.com"}
    assert "bob" not in str([each for each in page["events"] if each["kind"] != "request"])


@pytest.mark.parametrize(
    "name", ["\x00", "a\x00b", "Zoë 😀", "'; drop table x; --", "%", "*", "x" * 5000, "\ud800", "u1\n"]
)
def test_any_text_may_name_a_person(emulator: Emulator, client: Client, name: str) -> None:
    identify(emulator, ADA)
    response = client.get("/_emulator/events", query_string={"person": name.encode("utf-8", "replace")})
    assert response.status_code == 200, response.text
    assert response.get_json()["events"] == []


def test_a_record_without_an_email_is_that_of_its_person(client: Client) -> None:
    query = (
        'mutation { upsertProfiles(input: {advertiserId: "1001", externalProvider: "segment_io", '
        'profiles: "[{\\"userId\\": \\"u7\\"}, {\\"userId\\": \\"u8\\"}]"}) { userErrors { message } } }'
    )
    client.post("/graphql", json={"query": query}, headers={"authorization": "Bearer sa-local-write"})
    [record] = ask(client, person="u8", kinds="record")["events"]
    assert record["detail"]["index"] == 1
    assert record["detail"]["email"] is None


def test_kinds_select(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA)
    assert set(kinds_of(ask(client, kinds="call, delivery"))) == {"call", "delivery"}
    page = ask(client, kinds="clock")
    assert page["events"] == []
    # What was looked at in vain is not looked at again.
    assert page["next"] == ask(client)["next"]


def test_emails_are_masked_on_request(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA)
    assert "example.com" in str(ask(client))
    assert "example.com" not in str(ask(client, mask="true"))


@pytest.mark.parametrize(
    ("query", "where", "message"),
    [
        ({"after": "7"}, "after", "not a cursor"),
        ({"kinds": "cals"}, "kinds", "unknown kind of event 'cals'"),
        ({"kinds": ","}, "kinds", "unknown kind of event ''"),
        ({"limit": "0"}, "limit", ""),
        ({"limit": "1001"}, "limit", ""),
        ({"wait": "5"}, "wait", "invalid duration"),
        ({"wait": "2m"}, "wait", "too long to wait"),
        ({"mask": "yes"}, "mask", ""),
        ({"persons": "u1"}, "persons", "unknown parameter 'persons'"),
    ],
)
def test_a_wrong_argument_is_named(client: Client, query: dict[str, str], where: str, message: str) -> None:
    response = client.get("/_emulator/events", query_string=query)
    assert response.status_code == 400
    assert response.get_json()["where"] == where
    assert message in response.get_json()["message"]


def polled(client: Client, first: TestResponse, **query: Any) -> TestResponse:
    return client.get("/_emulator/events", query_string=query, headers={"If-None-Match": first.headers["ETag"]})


def test_nothing_new_is_304(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA)
    first = client.get("/_emulator/events")
    again = polled(client, first)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    identify(emulator, BOB)
    assert polled(client, first).status_code == 200


def test_a_reset_is_told_to_those_who_poll(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA)
    first = client.get("/_emulator/events")
    client.post("/_emulator/reset")
    response = polled(client, first, after=first.get_json()["next"])
    assert response.status_code == 200
    assert response.get_json()["missed"] == {"reason": "cleared", "events": None}


def test_a_poll_that_has_nothing_new_leaves_the_store_alone(
    emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if emulator.sandbox.store.shared:
        pytest.skip("another process may have caused something to be due")
    identify(emulator, ADA)
    first = client.get("/_emulator/events", query_string={"person": "u1"})
    polled(client, first, person="u1")
    monkeypatch.setattr(type(emulator.sandbox.store), "begin", None)
    assert polled(client, first, person="u1").status_code == 304


def test_waiting_ends_with_the_first_event_that_is_wanted(emulator: Emulator, client: Client) -> None:
    start = ask(client)["next"]
    answers: list[dict[str, Any]] = []
    waiting = Thread(
        target=lambda: answers.append(ask(emulator.app.test_client(), after=start, wait="30s", kinds="membership"))
    )
    waiting.start()
    identify(emulator, ADA)
    waiting.join(timeout=20)
    assert kinds_of(answers[0]) == ["membership"]


def test_waiting_in_vain_gives_an_empty_page_or_304(client: Client) -> None:
    first = client.get("/_emulator/events")
    cursor = first.get_json()["next"]
    assert ask(client, after=cursor, wait="0.01s")["events"] == []
    assert polled(client, first, wait="0.01s").status_code == 304


def test_a_sandbox_has_its_own_feed(emulator: Emulator, client: Client) -> None:
    identify(emulator, ADA)
    client.post("/_emulator/sandboxes", json={"name": "other"})
    response = client.get(
        "/_emulator/events", query_string={"after": ask(client)["next"]}, headers={"X-Emulator-Sandbox": "other"}
    )
    assert response.get_json()["missed"] == {"reason": "restarted", "events": None}
    assert response.get_json()["events"] == []
