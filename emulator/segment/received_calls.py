"""What the journal says of a call that came in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emulator.events import CallReceived
from emulator.segment.engage.identifiers import blocked_in
from emulator.segment.tracking.calls import Call, IngestResult, RejectedCall, sender_in
from emulator.workspace import Space


def received(result: IngestResult, source: str, at: datetime, space: Space) -> CallReceived:
    """The entry for a call of a source, accepted or not."""
    user_id, email = sender_in(result.message)
    rejected = result if isinstance(result, RejectedCall) else None
    notes: tuple[str, ...] = ()
    given = result.message
    if isinstance(result, Call):
        notes, given = _notes(result, space), result.complete or given
    return CallReceived(
        at=at,
        source=source,
        call=result.type,
        message_id=result.message_id,
        accepted=rejected is None,
        reason=rejected.reason if rejected else None,
        user_id=user_id,
        email=email,
        message=rejected.why if rejected else None,
        content=content_of(given, result.type),
        notes=notes,
    )


def content_of(given: object, call: str) -> dict[str, Any] | None:
    """A call as it came in, without its write key."""
    if not isinstance(given, Mapping):
        return None
    return {"type": call, **{name: value for name, value in given.items() if name != "writeKey"}}


def _notes(call: Call, space: Space) -> tuple[str, ...]:
    """What its source noted of a call, and which of its identifiers are not promoted."""
    if space.identifiers is None:
        return call.notes
    blocked = (
        f"the {kind} {value!r} is a blocked value of space.identifiers, and is not promoted"
        for kind, value in blocked_in(call, space)
    )
    return (*call.notes, *blocked)
