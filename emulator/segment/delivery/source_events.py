"""The calls of a source as events of the destination instances that are connected to it.

"Connections" in Segment's documentation: a source sends each call on, with the timestamps of "Spec: Common Fields", to
every destination instance that it is connected to. Whether Engage makes something of the call is independent of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.clock import to_iso
from emulator.segment.engage.emitted_events import EmittedEvent, EventContent, EventForm, whole_text
from emulator.segment.event_contents import as_stored
from emulator.segment.tracking.calls import Call, sender_in
from emulator.workspace import Workspace

# A source's own: no destination gets its write key.
_NOT_FORWARDED = frozenset({"writeKey", "messageId", "type", "sentAt", "timestamp", "originalTimestamp", "receivedAt"})
_IDS = frozenset({"userId", "anonymousId"})


def connected(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """The destination instances that are connected to each source, by its name; sources without any are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for destination in workspace.destinations:
        if destination.source is not None:
            found[destination.source] = (*found.get(destination.source, ()), destination.name)
    return found


def source_events(calls: Iterable[Call], destinations: Iterable[str]) -> Iterator[EmittedEvent]:
    """An event of each call for each of these destination instances."""
    names = tuple(destinations)
    for call in calls:
        message_id, content = as_stored(call.message_id), _content(call)
        for name in names:
            form = EventForm(destination=name, audience_key="", type=call.type)
            yield EmittedEvent(call.received_at, message_id, form, content)


def forwarded(call: Call) -> dict[str, Any]:
    """A call as a source sends it on."""
    given: Mapping[str, Any] = call.message
    # Libraries send null for an id that they do not have.
    kept = {name: value for name, value in given.items() if name not in _NOT_FORWARDED}
    return {
        "messageId": call.message_id,
        "type": call.type,
        **{name: value for name, value in kept.items() if value is not None or name not in _IDS},
        "originalTimestamp": to_iso(call.original_timestamp),
        "timestamp": to_iso(call.timestamp),
        "receivedAt": to_iso(call.received_at),
        "sentAt": None if call.sent_at is None else to_iso(call.sent_at),
    }


def _content(call: Call) -> EventContent:
    _, email = sender_in(call.message)
    found_by = email.lower() if email else None
    if found_by is None and call.user_id is None:
        found_by = call.anonymous_id
    return EventContent(user_id=call.user_id, found_by_email=found_by, traits=whole_text(forwarded(call)))
