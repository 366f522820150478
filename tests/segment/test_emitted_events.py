"""Events put together from a form and a content are those that are made whole, and are the same from the store.

Routes and profiles are random, with names and values that JSON has to escape, and traits under names of other fields.
STACKADAPT_EMULATOR_TEST_SEED repeats the routes of a failure.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from random import Random, SystemRandom
from typing import Any

import pytest
from sqlalchemy import func, select

from emulator.ids import Ids
from emulator.segment.delivery.enqueue import enqueue
from emulator.segment.delivery.switches import Recipient
from emulator.segment.engage.audience_events import AudienceRoute, audience_events
from emulator.segment.engage.emitted_events import EmittedEvent, Emitter, EmittingRoute
from emulator.segment.event_payload import EMITTED, PAYLOAD
from emulator.segment.profiles.profile import ANONYMOUS_ID, EMAIL, USER_ID, Profile
from emulator.segment.tables import CONTENTS, DELIVERIES, EVENTS, FORMS, TABLES
from emulator.store import Store
from emulator.workspace import Audience, Connection, Space
from tests.segment.conftest import NOON

SEED = int(os.environ.get("STACKADAPT_EMULATOR_TEST_SEED") or SystemRandom().randrange(2**32))
CASES = 400
NAMES = (
    "vip",
    "email",
    "audience_key",
    "userId",
    "a b",
    'quo"te',
    "back\\slash",
    "\x01",
    "\x02",
    "é",
    "\u2028",
    "first",
    "",
)
VALUES = (
    1,
    0.5,
    1e16,
    2**70,
    True,
    "",
    "x",
    'quo"te',
    "\x00\x01",
    "é\u2028",
    [],
    [1, {"a": None}],
    {"\x01": 0},
    "\x02",
)
EMAILS = ("Ada@Example.com", "ada@example.com", 'a"b@example.com', "é@example.com", "\x02", "\x02@x")


def random_route(random: Random) -> AudienceRoute:
    names = random.sample(NAMES, random.randrange(4))
    return AudienceRoute(
        audience=Audience(
            key=random.choice(NAMES), id="aud_1", name="VIP", condition={"trait": "a", "operator": "exists"}
        ),
        connection=Connection(
            audience_key="vip",
            send_identify=random.random() < 0.8,
            send_track=random.random() < 0.8,
            email=random.choice((None, "all", "first", "last")),
            traits={name: random.choice((name, random.choice(NAMES))) for name in names},
            enter_event=random.choice(("Audience Entered", "\x02", 'quo"te')),
            exit_event="Audience Exited",
        ),
        destination=random.choice(("one", "two")),
        integration=random.choice(("Destination", "\x04", 'quo"te')),
        space=Space(id=random.choice(("spa_1", "\x02")), name="Space"),
    )


def random_profile(random: Random) -> Profile:
    kinds = random.sample(
        ((USER_ID, "u1"), (USER_ID, 'é"'), *((EMAIL, email) for email in EMAILS), (ANONYMOUS_ID, "a")), 4
    )
    traits = {name: random.choice(VALUES) for name in random.sample(NAMES, 5)}
    return Profile(key=1, created_at=0, identifiers={pair: number for number, pair in enumerate(kinds)}, traits=traits)


def cases() -> list[tuple[list[EmittedEvent], list[dict[str, Any]]]]:
    """The events of a profile along several routes, and the payloads that they are to have."""
    random, found = Random(SEED), []
    for number in range(CASES):
        profile, at = random_profile(random), NOON + timedelta(microseconds=random.randrange(10**9))
        ids, same_ids = Ids(number), Ids(number)
        emitter = Emitter(profile, at, ids)
        changes: list[tuple[EmittingRoute, bool]] = []
        payloads: list[dict[str, Any]] = []
        for route in [random_route(random) for _ in range(3)]:
            entered = random.random() < 0.7
            changes.append((EmittingRoute.of(route), entered))
            whole = audience_events(route, profile, entered=entered, at=at, ids=same_ids)
            payloads += [dict(event.payload) for event in whole]
        found.append((emitter.audiences(changes), payloads))
    return found


def test_an_event_in_parts_is_the_event_that_is_made_whole() -> None:
    in_parts = 0
    for emitted, payloads in cases():
        # Each part spells other characters than ASCII as it can; names, order and values are the same.
        texts = [json.dumps(json.loads(event.text)) for event in emitted]
        assert texts == [json.dumps(payload) for payload in payloads], f"seed {SEED}"
        for event, payload in zip(emitted, payloads, strict=True):
            assert event.form.size + event.content.size == len(event.text.encode())
            assert (event.form.type, event.form.event) == (payload["type"], payload.get("event"))
            assert event.content.user_id == payload.get("userId")
            assert event.content.found_by_email == email_of(payload), f"seed {SEED}"
            in_parts += bool(event.form.before_traits)
    assert in_parts > CASES // 2


def email_of(payload: dict[str, Any]) -> str | None:
    places = (payload.get("traits"), payload["context"].get("traits"), payload.get("properties"))
    emails = (place.get("email") for place in places if place)
    return next((email.lower() for email in emails if isinstance(email, str)), None)


@pytest.fixture
def store() -> Any:
    store = Store()
    store.create(TABLES)
    yield store
    store.close()


def test_stored_events_are_read_as_they_were_made(store: Store) -> None:
    recipients = [
        Recipient(destination=name, subscription="Sync", switched_off=None, source=None, place="")
        for name in ("one", "two")
    ]
    expected: list[bytes] = []
    with store.begin() as transaction:
        for emitted, _ in cases():
            enqueue(transaction, emitted, recipients)
            expected += [event.text.encode() for event in emitted]
        found = transaction.execute(select(PAYLOAD).select_from(EMITTED).order_by(EVENTS.c.id)).scalars().all()
        sizes = transaction.execute(select(DELIVERIES.c.bytes).order_by(DELIVERIES.c.event_id)).scalars().all()
        contents, events = (
            transaction.scalar(select(func.count()).select_from(table)) or 0 for table in (CONTENTS, EVENTS)
        )
    assert found == expected
    assert sizes == [*map(len, expected)]
    assert events == len(expected)
    assert contents < events


def test_audiences_of_one_change_share_a_content(store: Store) -> None:
    profile = Profile(
        key=1, created_at=0, identifiers={(USER_ID, "u1"): 1, (EMAIL, "a@x.com"): 2}, traits={"first": "A"}
    )
    routes = [
        AudienceRoute(
            audience=Audience(
                key=f"a{number}", id=f"aud_{number}", name="A", condition={"trait": "a", "operator": "exists"}
            ),
            connection=Connection(audience_key=f"a{number}", email="all", traits={"first": "first"}),
            destination="one",
            integration="Destination",
            space=Space(id="spa_1", name="Space"),
        )
        for number in range(50)
    ]
    emitter = Emitter(profile, NOON, Ids(1))
    events = emitter.audiences((EmittingRoute.of(route), True) for route in routes)
    assert len({event.content for event in events}) == 1
    with store.begin() as transaction:
        for _ in range(2):
            enqueue(transaction, events, [])
        assert transaction.scalar(select(func.count()).select_from(FORMS)) == len(events)
