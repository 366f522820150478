"""The funnel: Segment's Delivery Overview step by step, and beside it what really happened at StackAdapt.

Calls become events, by Engage or through a destination instance's source; an event is one delivery for each mapping of
its destination instance; a successful delivery is one record at StackAdapt. Nothing gets lost between the steps:

    calls received       = successfullyReceived + failedOnIngest + notShown
    successfullyReceived = filteredAtSource + calls accepted
    events               have a delivery each: events without one = 0
    deliveries           = filteredAtDestination + queued + pendingRetry + failedDelivery + successfulDelivery
    successfulDelivery   = visible + queued + pending + rejected + suppressed + refused + unknown
                           - records whose event was deleted or replayed since
    a step's count       = the sum of its reasons, where something stopped

The left sides are counted apart from the right ones. `imbalances` are the equations that do not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Protocol

from emulator.artefacts import contract_text
from emulator.clock import to_iso
from emulator.durations import ALLOWED, parse_duration
from emulator.errors import ContractViolation, InputError
from emulator.events import CallReceived
from emulator.harness.pipeline_stages import pipeline
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.segment.delivery.steps import StepCounts
from emulator.stackadapt import StackAdapt
from emulator.timestamps import parse_timestamp
from emulator.yaml_files import load_yaml

RECEIVED: Final = "successfullyReceived"
FAILED_ON_INGEST: Final = "failedOnIngest"
NOT_SHOWN: Final = "notShown"
AT_SOURCE: Final = "filteredAtSource"
SUCCESSFUL: Final = "successfulDelivery"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
# Where something stops, so that there is a reason.
STOPS: Final = (FAILED_ON_INGEST, NOT_SHOWN, AT_SOURCE, "filteredAtDestination", "pendingRetry", "failedDelivery")
_DELIVERED: Final = ("filteredAtDestination", "queued", "pendingRetry", "failedDelivery", SUCCESSFUL)
_STOPPING_ENDS: Final = ("pending", "rejected", "suppressed", REFUSED)
SAMPLES: Final = 10

Shown = dict[str, Any]


class Services(Protocol):
    """Both services of a sandbox."""

    sandbox: Sandbox
    segment: Segment
    stackadapt: StackAdapt


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The table of steps, ends and reason codes (`contracts/reason-codes.yaml`).

    `steps` are name, what is counted, and meaning of each step; `ends` the meanings of how a delivery ended at
    StackAdapt; `reasons` step and meaning of a code; `record_reasons` the meaning of a record's reason.
    """

    steps: Mapping[str, Mapping[str, str]]
    ends: Mapping[str, str]
    reasons: Mapping[str, Mapping[str, str]]
    record_reasons: Mapping[str, str]

    def meaning(self, code: str) -> str:
        """What a code of Segment means, also one that is not in the table."""
        if code in self.reasons:
            return self.reasons[code]["meaning"]
        if code.isdigit():
            return f"The response had the status {code}."
        if code[:1] == "E" and code.isupper():
            return f"There was no response: the connection failed with {code}."
        return f"The mapping engine failed with {code}."


@cache
def codes() -> Codes:
    """The table, read once per process."""
    table = load_yaml(contract_text("reason-codes.yaml"))
    return Codes(
        steps=MappingProxyType({each["step"]: each for each in table["steps"]}),
        ends=MappingProxyType({**table["outcomes"], **table["ends"]}),
        reasons=MappingProxyType({each["code"]: each for each in table["segment"]}),
        record_reasons=MappingProxyType({each["code"]: each["meaning"] for each in table["reasons"]}),
    )


def funnel(services: Services, *, destination: str | None = None, since: str | None = None) -> Shown:
    """The funnel of one destination instance or of all, from a time (or a duration ago) on, as a dict of JSON values.

    It has `steps` and `stackadapt` by name, each with `meaning`, `count`, `reasons` and `samples`; `totals`, the left
    sides of the equations; `complete`, whether all calls since that time are known; the stages of `pipeline`;
    `imbalances`. Raises InputError for `since`, NotFound for an unknown destination instance.
    """
    now = services.sandbox.clock.now()
    start = None if since is None else _start(since, now)
    counted = services.segment.steps.counted(destination, start)
    calls, call_samples, complete = _calls(services, destination, start)
    accepted = calls.pop("", 0)
    counts = _counts(calls, counted)
    counts[RECEIVED][None] = accepted + counts[AT_SOURCE].total()
    samples = {**call_samples, **counted.samples}
    ends, without_event = _ends(services, counted)
    found: Shown = {
        "destination": destination,
        "since": None if start is None else to_iso(start),
        "now": to_iso(now),
        "complete": complete,
        "totals": {
            "calls": accepted + sum(calls.values()),
            "accepted": accepted,
            "deliveries": counted.deliveries,
            "eventsWithoutDelivery": counted.without_delivery,
            "recordsWithoutEvent": without_event,
        },
        "steps": {step: _step(step, counts[step], samples.get(step, [])) for step in codes().steps},
        "stackadapt": ends,
    }
    stages = pipeline(found["steps"], found["stackadapt"], found["totals"])
    return {**found, "pipeline": stages, "imbalances": list(imbalances(found))}


def _counts(calls: Mapping[str, int], counted: StepCounts) -> dict[str, Counter[str | None]]:
    """How many there are by step and reason, None for none, without the calls that were accepted."""
    counts = {step: Counter[str | None]() for step in codes().steps}
    for code, number in calls.items():
        # A code that the table does not have is at no step, and the numbers do not add up.
        if (about := codes().reasons.get(code)) is not None:
            counts[about["step"]][code] += number
    for step, number in counted.events.items():
        counts[step][None] = number
    for (of_step, reason), number in counted.steps.items():
        if of_step is not None:
            counts[of_step][reason] += number
    return counts


def imbalances(found: Mapping[str, Any]) -> Iterator[str]:
    """The equations that do not hold in a funnel, as text."""
    totals, steps, ends = found["totals"], found["steps"], found["stackadapt"]
    count = {step: content["count"] for step, content in steps.items()}
    yield from _unequal("calls received", totals["calls"], count, (RECEIVED, FAILED_ON_INGEST, NOT_SHOWN))
    yield from _unequal(
        "calls successfully received",
        count[RECEIVED],
        {**count, "accepted": totals["accepted"]},
        (AT_SOURCE, "accepted"),
    )
    if totals["eventsWithoutDelivery"]:
        yield f"{totals['eventsWithoutDelivery']} events have no delivery"
    yield from _unequal("deliveries", totals["deliveries"], count, _DELIVERED)
    yield from _unequal(
        "successful deliveries, and records without an event",
        count[SUCCESSFUL] + totals["recordsWithoutEvent"],
        {end: content["count"] for end, content in ends.items()},
        tuple(ends),
    )
    stopped = [*((step, steps[step]) for step in STOPS), *((end, ends[end]) for end in _STOPPING_ENDS)]
    for name, content in stopped:
        explained = sum(reason["count"] for reason in content["reasons"])
        if explained != content["count"]:
            yield f"{name}: {content['count']} are counted, {explained} have a reason"


def check_balance(found: Mapping[str, Any]) -> None:
    """Raises ContractViolation when an equation does not hold in a funnel."""
    wrong = list(imbalances(found))
    if wrong:
        raise ContractViolation("the funnel does not balance", where="funnel", found="; ".join(wrong))


def _unequal(what: str, whole: int, counts: Mapping[str, int], parts: Sequence[str]) -> Iterator[str]:
    if whole != sum(counts[part] for part in parts):
        sums = " + ".join(f"{counts[part]} {part}" for part in parts)
        yield f"{what}: {whole}, but {sums} are {sum(counts[part] for part in parts)}"


def _start(since: str, now: datetime) -> datetime:
    at = parse_timestamp(since)
    if at is not None:
        return at
    try:
        return now - parse_duration(since)
    except InputError:
        raise InputError(
            "neither a time nor a duration", where="since", found=since, allowed=f"2026-03-01T12:00:00Z, or {ALLOWED}"
        ) from None


def _calls(
    services: Services, destination: str | None, start: datetime | None
) -> tuple[Counter[str], Mapping[str, list[Shown]], bool]:
    """How many calls came in by reason (empty for accepted), samples by step, and whether all of them are known.

    Those of all times are counted in the store, those from a time on in the journal, which keeps the newest.
    """
    only = _source_of(services, destination)
    stored = {key: number for key, number in services.segment.steps.calls().items() if only in (None, key[0])}
    journal = services.sandbox.journal.entries(CallReceived)
    known = [call for call in journal if only in (None, call.source)]
    recent = [call for call in known if start is None or call.at >= start]
    calls: Counter[str] = Counter()
    if start is None:
        for (_, reason), number in stored.items():
            calls[reason] += number
    else:
        calls.update(call.reason or "" for call in recent)
    complete = start is None or sum(stored.values()) == len(known) or bool(journal and journal[0].at < start)
    return calls, _samples(recent), complete


def _source_of(services: Services, destination: str | None) -> str | None:
    """The only source whose calls reach a destination instance; None for every source."""
    instances = services.sandbox.workspace.destinations
    return next((each.source for each in instances if each.name == destination), None)


def _samples(calls: Iterable[CallReceived]) -> Mapping[str, list[Shown]]:
    """The newest calls of each step."""
    samples: dict[str, list[Shown]] = {}
    for call in reversed(list(calls)):
        step = RECEIVED if call.reason is None else codes().reasons.get(call.reason, {}).get("step")
        if step is not None and len(of_step := samples.setdefault(step, [])) < SAMPLES:
            of_step.append(
                {
                    "messageId": call.message_id,
                    "userId": call.user_id,
                    "at": to_iso(call.at),
                    "reason": call.reason,
                    "message": call.message,
                }
            )
    return samples


def _step(step: str, counts: Counter[str | None], samples: Sequence[Shown]) -> Shown:
    about = codes().steps[step]
    return {
        "name": about["name"],
        "counts": about["counts"],
        "meaning": about["meaning"],
        "count": counts.total(),
        "reasons": _reasons(counts, codes().meaning),
        "samples": list(samples),
    }


def _reasons(counts: Counter[str | None], meaning: Callable[[str], str]) -> list[Shown]:
    """Codes with count and meaning, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
    return [{"code": code, "count": number, "meaning": meaning(code)} for code, number in ordered if code is not None]


def _ends(services: Services, counted: StepCounts) -> tuple[dict[str, Shown], int]:
    """How successful deliveries ended at StackAdapt, and how many of its records have no event any more."""
    ends = {end: Counter[str | None]() for end in codes().ends}
    traces = [trace_id for trace_id, _, _ in counted.requests if trace_id]
    records: Counter[str] = Counter()
    for each in services.stackadapt.record_ends.of_requests(traces):
        # A damaged row may have any outcome: it is at no end, and the numbers do not add up.
        if each.outcome in ends:
            ends[each.outcome][each.reason] += each.records
        records[each.trace_id] += each.records
    without_event = 0
    for trace_id, deliveries, refusal in counted.requests:
        left = deliveries - records[trace_id or ""]
        without_event += max(-left, 0)
        if left > 0:
            ends[REFUSED if refusal else UNKNOWN][refusal] += left
    samples = _record_samples(services, traces)
    samples[REFUSED] = list(counted.samples[REFUSED])
    return {end: _end(end, counts, samples.get(end, [])) for end, counts in ends.items()}, without_event


def _end(end: str, counts: Counter[str | None], samples: Sequence[Shown]) -> Shown:
    meanings = codes().record_reasons
    return {
        "meaning": codes().ends[end],
        "count": counts.total(),
        "reasons": _reasons(counts, lambda code: meanings.get(code) or codes().meaning(code)),
        "samples": list(samples),
    }


def _record_samples(services: Services, traces: Sequence[str]) -> dict[str, list[Shown]]:
    """The newest records that are not visible, by outcome, with the messages that brought them."""
    found = services.stackadapt.record_ends.newest(traces, len(_STOPPING_ENDS) * SAMPLES)
    sent = services.segment.steps.sent_with({each["traceId"] for each in found})
    samples: dict[str, list[Shown]] = {}
    for record in found:
        # In the order of the request, unless an event was deleted or replayed since.
        events = dict(enumerate(sent.get(record["traceId"], ())))
        message_id, user_id = events.get(record["index"], (None, None))
        if len(of_end := samples.setdefault(record["outcome"], [])) < SAMPLES:
            of_end.append(
                {
                    "messageId": message_id,
                    "userId": user_id,
                    "at": record["at"],
                    "reason": record["reason"],
                    "message": codes().record_reasons.get(record["reason"] or ""),
                }
            )
    return samples
