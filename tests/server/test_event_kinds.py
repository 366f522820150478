"""Every kind of event is known wherever events are stored, shown and logged."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from emulator.events import (
    KINDS,
    BatchDelivered,
    CallReceived,
    ClockMoved,
    Event,
    GraphQLExchanged,
    MembershipChanged,
    RecordProcessed,
    WorkspaceChanged,
)
from emulator.journal import Journal
from emulator.server.feed import chosen_kinds, page_of
from emulator.server.log_lines import INFO, WARNING, line_of, masked
from emulator.server.logs import LogWriter
from emulator.stored_events import kind_of, read_event, written

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
EVENTS: tuple[Event, ...] = (
    CallReceived(
        at=AT,
        source="site",
        call="track",
        message_id="m\x00\ud800",
        accepted=True,
        notes=("one", "two"),
        content=MappingProxyType({"event": "Añadido", "properties": {"n": [1, 2.5, None, True]}}),
    ),
    MembershipChanged(at=AT, audience_key="vip", profile_id="p", entered=True, user_id="u", email="a@example.com"),
    BatchDelivered(at=AT, destination="d", subscription="s", outcomes={"sent": 2}, status=200, user_ids=("u",)),
    GraphQLExchanged(
        at=AT,
        trace_id="t",
        token_name=None,
        operations=("user",),
        status=None,
        request="{}",
        response="",
        duration_ms=1.5,
        emails=("a@example.com",),
    ),
    RecordProcessed(at=AT, trace_id="t", advertiser_id="1", outcome="visible", index=0),
    ClockMoved(at=AT, action="advanced", seconds=1.5),
    WorkspaceChanged(at=AT, parts=("tokens",)),
)
NAMES = {kind: name for name, kind in KINDS.items()}


def test_the_table_has_every_kind_and_there_is_an_example_of_each() -> None:
    defined = {kind.__name__ for kind in Event.__subclasses__()}
    assert {kind.__name__ for kind in KINDS.values()} == defined
    assert {type(event).__name__ for event in EVENTS} == defined


@pytest.mark.parametrize("event", EVENTS, ids=kind_of)
def test_every_kind_of_event_is_read_as_it_was_written(event: Event) -> None:
    assert read_event(kind_of(event), written(event)) == event


@pytest.mark.parametrize("event", EVENTS, ids=kind_of)
def test_every_kind_of_event_is_in_the_feed(event: Event) -> None:
    name, journal = NAMES[type(event)], Journal()
    journal.append(event)
    page = page_of(journal, journal.after(None), kinds=chosen_kinds(name), person=None, limit=1, mask=True)
    [shown] = page["events"]
    assert (shown["kind"], shown["text"]) == (name, line_of(masked(event))[1])
    json.dumps(shown)


@pytest.mark.parametrize("event", EVENTS, ids=kind_of)
def test_every_kind_of_event_is_a_line_of_the_log(event: Event) -> None:
    lines = {}
    for log_format in ("text", "json"):
        stream = io.StringIO()
        LogWriter(log_format, stream=stream)([event])
        lines[log_format] = stream.getvalue()
    assert lines["text"].split(maxsplit=2)[1] in {INFO, WARNING}
    assert json.loads(lines["json"])["event"] == kind_of(event)
