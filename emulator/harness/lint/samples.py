"""One message of each kind that the connected audiences send, made by Engage itself for a person who has everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from emulator.harness.subject import Subject
from emulator.ids import Ids
from emulator.segment.audience_events import Route, audience_events
from emulator.segment.profiles import EMAIL, USER_ID, Profile

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def sample_messages(subject: Subject, *, entered: bool = True) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Type and payload of each message that the trigger lets through, for every connected audience: of entering it, or
    of leaving.
    """
    for connection, audience in subject.audiences():
        person = Profile(
            key=None,
            created_at=0,
            identifiers={(USER_ID, "u1"): 1, (EMAIL, "person@example.com"): 2},
            traits=dict.fromkeys(connection.traits, "2000-01-01"),
        )
        route = Route(
            audience=audience,
            connection=connection,
            destination=subject.destination.name,
            integration=subject.definition.name,
            space=subject.workspace.space,
        )
        for message in audience_events(route, person, entered=entered, at=_MOMENT, ids=Ids(0)):
            if subject.trigger.matches(message.payload):
                yield message.payload["type"], message.payload
