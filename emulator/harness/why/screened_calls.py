"""Calls that a source does not let through as they came: filtered, without some of their parts, or of no profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from emulator.events import CallReceived
from emulator.harness.why.answer import CALL, PROFILE, Stop
from emulator.harness.why.evidence import Evidence
from emulator.segment import EVENT_SETTING, FILTERED_AT_SOURCE

_SWITCHED_OFF = "Switch the event on again in the source's schema configuration."
ADVICE = "Send what the tracking plan expects, or change the plan or the source's schema configuration."


def filtered_call(evidence: Evidence, failed: Iterable[str]) -> Stop | None:
    """The call that was filtered at its source and would have counted for an audience; None for none.

    `failed` are the clauses of conditions that do not hold.
    """
    needed = " ".join(failed)
    for call in reversed(evidence.calls):
        if call.reason in FILTERED_AT_SOURCE and _event_of(call) in needed:
            return Stop(
                stage=CALL,
                reason=str(call.reason),
                message=f"Segment filtered the {call.call} call at the source {call.source!r}, "
                "so that it counts for no audience",
                found=call.message,
                advice=_SWITCHED_OFF if call.reason == EVENT_SETTING else ADVICE,
                about={"call": call},
            )
    return None


def call_of_no_profile(evidence: Evidence) -> Stop | None:
    """A call that was accepted and belongs to no profile, since all of its identifiers are blocked."""
    call = noted_call(evidence)
    if call is None or evidence.space:
        return None
    return Stop(
        stage=PROFILE,
        reason="IDENTIFIERS_BLOCKED",
        message=f"every identifier of the {call.call} call has a blocked value, so it belongs to no profile",
        found="; ".join(call.notes),
        advice="Send an id that identifies one person, or change space.identifiers.",
        about={"call": call},
    )


def noted_call(evidence: Evidence) -> CallReceived | None:
    """The last call that was accepted with notes."""
    return next((call for call in reversed(evidence.calls) if call.accepted and call.notes), None)


def notes_of(calls: Iterable[CallReceived]) -> Iterator[str]:
    """What was wrong with accepted calls, or left out of them, a clause each."""
    for call in calls:
        for note in call.notes:
            yield f"{call.call} {call.message_id}: {note}"


def _event_of(call: CallReceived) -> str:
    """The event of a call that conditions name; empty, which is in every text, for one that is about traits."""
    event = (call.content or {}).get("event")
    return event if isinstance(event, str) else ""
