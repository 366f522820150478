"""A delivery whose event is not stored is rejected with a reason, and does not stop the others."""

from __future__ import annotations

from sqlalchemy import delete, select

from emulator import Emulator
from emulator.segment.delivery.queue import EVENT_MISSING
from emulator.segment.tables import DELIVERIES, EVENTS


def test_delivery_gets_past_a_delivery_without_its_event() -> None:
    with Emulator() as emulator:
        client = emulator.client
        client.post("/_emulator/clock/freeze")
        rule = client.post("/_emulator/faults", json={"fault": "status", "status": 503}).json
        assert rule is not None
        for user in ("ada", "bob"):
            traits = {"email": f"{user}@example.com", "total_spent": 900}
            call = {"userId": user, "writeKey": "segment-local", "traits": traits}
            assert client.post("/v1/identify", json=call).status_code == 200
        client.delete("/_emulator/faults")
        with emulator.sandbox.store.begin() as connection:
            first = connection.scalars(select(EVENTS.c.id).limit(1)).one()
            connection.execute(delete(EVENTS).where(EVENTS.c.id == first))
        client.post("/_emulator/dead-letters/replay", json={})
        moved = client.post("/_emulator/clock/advance", json={"days": 2})
        assert moved.status_code == 200, moved.text
        for view in ("counts", "deliveries", "batches", "dead-letters", "journal"):
            answer = client.get(f"/_emulator/{view}")
            assert answer.status_code == 200, answer.text


def test_a_queued_delivery_without_its_event_is_rejected_with_a_reason() -> None:
    with Emulator() as emulator:
        client = emulator.client
        client.post("/_emulator/clock/freeze")
        traits = {"email": "ada@example.com", "total_spent": 900}
        client.post("/v1/identify", json={"userId": "ada", "writeKey": "segment-local", "traits": traits})
        with emulator.sandbox.store.begin() as connection:
            connection.execute(DELIVERIES.update().values(outcome=None, batch_id=None, settled_at=None))
            connection.execute(delete(EVENTS))
        client.post("/_emulator/clock/advance", json={"hours": 1})
        counts = (client.get("/_emulator/counts").json or {})["segment"]
        assert set(counts["outcomes"]) == {"rejected"}
        assert set(counts["reasons"]["rejected"]) == {EVENT_MISSING}
        shown = client.get("/_emulator/dead-letters").json or {}
        assert {each["reason"] for each in next(iter(shown.values()))} == {EVENT_MISSING}
