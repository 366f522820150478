"""Sends a person's last calls or records again, as they were or changed, in the services that run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from emulator.errors import NotFound
from emulator.harness.why.answer import VISIBLE, Question, Stop
from emulator.harness.why.diagnosis import diagnosed
from emulator.harness.why.evidence import Evidence, Services, Shown, gather
from emulator.harness.why.rerun import Case, Running, case_of, performed, post_again
from emulator.segment.delivery.steps import FROM_AUDIENCE

_ARRIVED = Stop(stage=VISIBLE, reason="ARRIVED", message="", advice="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is sent otherwise than before: traits and keys of records by name, more events, another source or token."""

    traits: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Shown] = ()
    source: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How many calls and records were sent again, and how many audiences Engage sent the person to once more."""

    calls: int = 0
    records: int = 0
    audiences: int = 0

    def as_dict(self) -> dict[str, int]:
        """The JSON form."""
        return {"calls": self.calls, "records": self.records, "audiences": self.audiences}


def known_case(evidence: Evidence, services: Services) -> Case:
    """What was sent about a person. Raises NotFound when nothing that could be sent again is known."""
    case = case_of(diagnosed(evidence, services) or _ARRIVED, evidence, services)
    if case is None:
        raise NotFound("nothing that was sent about this person is known", where="why", found=evidence.who)
    return case


def send_again(question: Question, services: Running, changed: Changed | None = None) -> Sent:
    """Sends the last calls of a person again; what they performed is not sent twice.

    Engage sends a member once more when the calls led to no event of an audience. Raises NotFound for an unknown
    person.
    """
    changed = changed or Changed()
    evidence = gather(question, services)
    case = _changed(known_case(evidence, services), changed)
    done = performed(evidence, services)
    calls = [call for call in case.calls if call not in done]
    since = services.sandbox.clock.now()
    before = _of_engage(services, since)
    for call in calls:
        services.segment.ingest("batch", {"batch": [call]}, source=case.source)
    silent = bool(calls) and _of_engage(services, since) == before
    members = case.members if silent else ()
    for member in members:
        services.segment.set_membership(**member)
    post_again(case, services)
    return Sent(calls=len(calls), records=len(case.records) + (case.request is not None), audiences=len(members))


def _of_engage(services: Running, since: datetime) -> int:
    """How many events of audiences were sent from a time on: calls that a source sends on by itself are none."""
    return services.segment.steps.counted(since=since).events.get(FROM_AUDIENCE, 0)


def _changed(case: Case, changed: Changed) -> Case:
    calls = deepcopy(case.calls)
    for call in calls:
        if call["type"] == "identify" and changed.traits:
            call["traits"] = {**call.get("traits", {}), **changed.traits}
            if "email" in changed.traits and isinstance(context := call.get("context"), dict):
                context.pop("traits", None)
    who = next(({"userId": call["userId"]} for call in calls if call.get("userId")), {})
    events = tuple({"type": "track", **who, **event} for event in changed.events)
    records = tuple({**each, "record": {**each["record"], **changed.record}} for each in case.records)
    return replace(
        case,
        calls=(*calls, *events),
        records=records,
        source=changed.source or case.source,
        token=changed.token or case.token,
    )
