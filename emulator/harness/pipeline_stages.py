"""The stages that an event passes, from the call to the visible profile, and where the others leave them.

A view of the funnel: each stage counts what got there, and what was lost on the way to it. Segment's *Failed delivery*
is two of the losses: what the mapping refused, and what the request failed with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Shown = dict[str, Any]

_STAGES: Final = (
    ("Received", "calls", "Calls that came in to Segment."),
    ("Let through", "calls", "Calls that Segment accepted and no source blocked."),
    ("From audiences", "events", "Events of audiences, and of sources, for a destination."),
    ("Triggered", "deliveries", "An event and a mapping whose trigger matches it."),
    ("Mapped", "deliveries", "The mapping had a value for every required field."),
    ("Accepted", "deliveries", "StackAdapt took the request."),
    ("Visible", "records", "Merged into a profile."),
)
_NOT_VISIBLE: Final = (
    ("queued", "Not visible yet"),
    ("pending", "Waiting for a profile"),
    ("rejected", "Rejected"),
    ("suppressed", "Suppressed"),
    ("unknown", "Unknown"),
)
_MAPPING: Final = frozenset({"PAYLOAD_VALIDATION_FAILED", "EVENT_MISSING", "EVENT_DAMAGED"})


def pipeline(steps: Mapping[str, Any], ends: Mapping[str, Any], totals: Mapping[str, Any]) -> list[Shown]:
    """The stages in order: `name`, `counts` (what is counted), `meaning`, `count`, `losses` (of them only those that
    have something: `name`, `meaning`, `count`, `reasons`).

    `steps`, `ends` and `totals` are those of the funnel.
    """
    count = {name: step["count"] for name, step in steps.items()}
    losses = _losses(steps, ends)
    lost = {name: sum(loss["count"] for loss in found) for name, found in losses.items()}
    triggered = totals["deliveries"] - lost["Triggered"]
    reached = (
        totals["calls"],
        totals["accepted"],
        count["eventsFromAudience"] + count["eventsFromSource"],
        triggered,
        triggered - lost["Mapped"],
        count["successfulDelivery"] - ends["refused"]["count"],
        ends["visible"]["count"],
    )
    return [
        {"name": name, "counts": counts, "meaning": meaning, "count": number, "losses": losses.get(name, [])}
        for (name, counts, meaning), number in zip(_STAGES, reached, strict=True)
    ]


def _losses(steps: Mapping[str, Any], ends: Mapping[str, Any]) -> dict[str, list[Shown]]:
    """What is lost on the way to each stage."""
    failed = steps["failedDelivery"]
    by_mapping = [reason for reason in failed["reasons"] if failed_in_mapping(reason["code"])]
    by_request = [reason for reason in failed["reasons"] if not failed_in_mapping(reason["code"])]
    found = {
        "Let through": [_of(steps[name]) for name in ("failedOnIngest", "notShown", "filteredAtSource")],
        "Triggered": [_of(steps[name]) for name in ("filteredAtDestination", "queued")],
        "Mapped": [_loss("Refused by the mapping", failed["meaning"], by_mapping)],
        "Accepted": [
            _of(steps["pendingRetry"]),
            _loss("Request failed", failed["meaning"], by_request),
            _of({"name": "Refused by StackAdapt", **ends["refused"]}),
        ],
        "Visible": [_of({"name": name, **ends[end]}) for end, name in _NOT_VISIBLE],
    }
    return {name: [loss for loss in losses if loss["count"]] for name, losses in found.items()}


def failed_in_mapping(code: str) -> bool:
    """Whether a reason of *Failed delivery* is one of the mapping: a request fails with a status or a code such as
    `ECONNRESET`.
    """
    return code in _MAPPING or not (code.isdigit() or (code[:1] == "E" and code.isupper()))


def _of(step: Mapping[str, Any]) -> Shown:
    return {name: step[name] for name in ("name", "meaning", "count", "reasons")}


def _loss(name: str, meaning: str, reasons: Sequence[Shown]) -> Shown:
    return {
        "name": name,
        "meaning": meaning,
        "count": sum(reason["count"] for reason in reasons),
        "reasons": list(reasons),
    }
