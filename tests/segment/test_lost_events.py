"""A delivery whose event is not stored or damaged is rejected with a reason, and does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, text, update

from emulator import Emulator
from emulator.segment.delivery.queued_events import EVENT_DAMAGED, EVENT_MISSING
from emulator.segment.tables import CONTENTS, DELIVERIES, EVENTS

DEEP = "[" * 100_000
# What the content of an event has then; or the table that its row is missing from.
LOSSES: dict[str, Any] = {
    "missing": EVENTS,
    "without its content": CONTENTS,
    "cut": {"times": ""},
    "empty": dict.fromkeys(("traits", "email", "identity", "times"), ""),
    "deep": {"identity": f'"userId":{DEEP}'},
    "no JSON": {"traits": "}"},
    "no message id": {"identity": '"messageId":null,'},
    "wrong user id": {"identity": '"userId":{"a":1},'},
}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator


_REFERENCES = {
    "segment_deliveries": "segment_deliveries_event_id_fkey",
    "segment_events": "segment_events_content_id_fkey",
}


def identify(emulator: Emulator, *users: str) -> None:
    for user in users:
        traits = {"email": f"{user}@example.com", "total_spent": 900}
        call = {"userId": user, "writeKey": "segment-local", "traits": traits}
        assert emulator.client.post("/v1/identify", json=call).status_code == 200


def lose(emulator: Emulator, loss: Any, *users: str) -> None:
    lost = CONTENTS.c.user_id.in_(users)
    with emulator.sandbox.store.begin() as connection:
        if connection.dialect.name == "postgresql":
            # It refuses to lose an event, unlike SQLite, which does not check references.
            for table, reference in _REFERENCES.items():
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {reference}"))
        if loss is EVENTS:
            connection.execute(delete(EVENTS).where(EVENTS.c.content_id.in_(select(CONTENTS.c.id).where(lost))))
        elif loss is CONTENTS:
            connection.execute(delete(CONTENTS).where(lost))
        else:
            connection.execute(update(CONTENTS).where(lost).values(loss))


def reason_of(loss: Any) -> str:
    return EVENT_MISSING if isinstance(loss, Table) else EVENT_DAMAGED


def outcomes(emulator: Emulator) -> dict[Any, int]:
    """How many deliveries ended with an outcome and a reason; every list can be read."""
    for view in ("counts", "deliveries", "batches", "dead-letters", "journal"):
        answer = emulator.client.get(f"/_emulator/{view}")
        assert answer.status_code == 200, answer.text
    found: dict[Any, int] = {}
    with emulator.sandbox.store.begin() as connection:
        for row in connection.execute(select(DELIVERIES.c.outcome, DELIVERIES.c.reason)):
            found[tuple(row)] = found.get(tuple(row), 0) + 1
    return found


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_queued_delivery_without_its_event_is_rejected_and_the_others_are_sent(emulator: Emulator, loss: Any) -> None:
    identify(emulator, "ada", "grace", "alan")
    with emulator.sandbox.store.begin() as connection:
        queued = dict.fromkeys(("outcome", "reason", "message", "batch_id", "settled_at"))
        number = connection.execute(update(DELIVERIES).values(queued)).rowcount
    lose(emulator, loss, "ada", "alan")
    assert emulator.client.post("/_emulator/clock/advance", json={"hours": 1}).status_code == 200
    found = outcomes(emulator)
    assert set(found) == {("sent", None), ("rejected", reason_of(loss))}
    assert sum(found.values()) == number
    assert found["sent", None] * 2 == found["rejected", reason_of(loss)]
    shown = emulator.client.get("/_emulator/dead-letters").get_json()["deadLetters"]
    assert {each["reason"] for each in shown} == {reason_of(loss)}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("everyone", [True, False], ids=["all events", "one event"])
def test_a_retried_batch_whose_events_are_lost_ends_with_a_reason(
    emulator: Emulator, loss: Any, everyone: bool
) -> None:
    client = emulator.client
    client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    identify(emulator, "ada", "grace")
    client.delete("/_emulator/faults")
    lose(emulator, loss, *(("ada", "grace") if everyone else ("ada",)))
    assert client.post("/_emulator/clock/advance", json={"days": 2}).status_code == 200
    found = outcomes(emulator)
    lost = ("rejected", reason_of(loss))
    assert set(found) == ({lost} if everyone else {lost, ("sent", None)})
    batches = client.get("/_emulator/batches").get_json()["batches"]
    assert lost in {(each["outcome"], each["reason"]) for each in batches}
    assert {each["outcome"] for each in batches} <= {"sent", "rejected"}
    # Sent again, the events are still lost; that ends as well.
    client.post("/_emulator/dead-letters/replay", json={})
    assert client.post("/_emulator/clock/advance", json={"days": 2}).status_code == 200
    assert outcomes(emulator) == found
