"""Why a person, a message, a property or a membership did not arrive: one question, one answer."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.events import CallReceived
from emulator.harness.client import delivery_line, profile_line, record_line, request_line
from emulator.harness.why.answer import Change, Diagnosis, Question, Stop
from emulator.harness.why.applying import Changeable, apply
from emulator.harness.why.case_text import CASE_FORMS, case_text
from emulator.harness.why.diagnosis import diagnosed
from emulator.harness.why.evidence import Evidence, Services, gather
from emulator.harness.why.memberships import membership_stop
from emulator.harness.why.properties import TRAIT_OF
from emulator.harness.why.rerun import (
    OpenTrial,
    Trial,
    active_faults,
    case_of,
    identify_of,
    performed_by,
    set_memberships,
)
from emulator.harness.why.search import smallest_change
from emulator.harness.why.send_again import Sent, send_again
from emulator.harness.why.unread_traits import MODE_FIELD, NOT_IN_MAPPING, OTHER_PROPERTIES_MODE
from emulator.segment import FILTERED_AT_SOURCE

__all__ = [
    "CASE_FORMS",
    "MODE_FIELD",
    "NOT_IN_MAPPING",
    "OTHER_PROPERTIES_MODE",
    "TRAIT_OF",
    "Change",
    "Changeable",
    "Diagnosis",
    "Evidence",
    "OpenTrial",
    "Question",
    "Sent",
    "Services",
    "Stop",
    "Trial",
    "active_faults",
    "apply",
    "case_text",
    "gather",
    "identify_of",
    "membership_stop",
    "performed_by",
    "send_again",
    "set_memberships",
    "why",
]

# More lines of one stage say nothing new.
_MOST = 10


def why(question: Question, services: Services, open_trial: OpenTrial, *, search: bool = True) -> Diagnosis:
    """The way of a person through both services. Raises InputError, and NotFound for an unknown segment.

    `open_trial` opens services for the search for a change, which takes a second or two; the services of the question
    are only read. Without `search` the answer has no change.
    """
    evidence = gather(question, services)
    stop = diagnosed(evidence, services)
    changes: tuple[Change, ...] = ()
    if stop is not None and search:
        case = case_of(stop, evidence, services)
        changes = smallest_change(stop, case, evidence, open_trial) if case else ()
    return Diagnosis(
        question=question,
        who=evidence.who,
        arrived=stop is None,
        way=tuple(_way(evidence)),
        stop=stop,
        changes=changes,
    )


def _way(evidence: Evidence) -> Iterator[str]:
    """What happened at each stage, a line each, oldest first."""
    stages = (
        ("call", [_call(each) for each in evidence.calls]),
        ("Engage", [_profile(each) for each in evidence.space]),
        ("Segment", [delivery_line(each) for each in evidence.deliveries]),
        ("GraphQL", [request_line(each) for each in evidence.requests if each["outcome"] != "accepted"]),
        ("StackAdapt", [record_line(each) for each in evidence.records]),
        ("GraphQL", [f"{request_line(each)} (deletion request)" for each in evidence.deletions]),
        ("profile", [profile_line(each) for each in evidence.profiles] or ["none visible"]),
    )
    for stage, lines in stages:
        for line in lines[-_MOST:]:
            yield f"{stage:<10}  {line}"


def _call(call: CallReceived) -> str:
    named = f"{call.call} {call.message_id}" if call.message_id else f"{call.call} without messageId"
    outcome = call.reason or "accepted"
    why = "; ".join(filter(None, [call.message if call.reason in FILTERED_AT_SOURCE else None, *call.notes]))
    return f"{named}: {outcome}{f' ({why})' if why else ''}"


def _profile(profile: dict[str, object]) -> str:
    audiences = profile["audiences"]
    named = ", ".join(map(str, audiences)) if isinstance(audiences, list) else ""
    return f"known as {profile['userId'] or profile['email'] or 'an anonymous profile'}, in {named or 'no audience'}"
