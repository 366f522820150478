"""One event at the checks of a destination instance, before its triggers: consent, integrations object, filters."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from emulator.harness.subscription_context import SubscriptionContext
from emulator.ids import Ids
from emulator.segment.delivery.event_checks import FILTERED_BY_RULES, EventChecks, event_checks
from emulator.segment.delivery.switches import Discard


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedEvent:
    """`event` is what the filters leave of it, `filters` what each did, `discard` why it goes no further."""

    event: Mapping[str, Any]
    filters: tuple[dict[str, Any], ...] = ()
    discard: Discard | None = None


def checks_of(context: SubscriptionContext) -> EventChecks | None:
    """The checks of the destination instance of a subscription; None where nothing can stop an event."""
    workspace = context.workspace
    return event_checks(workspace, Ids(workspace.seed or 0)).get(context.destination.name)


def check_event(event: Mapping[str, Any], checks: EventChecks | None) -> CheckedEvent:
    """Checks one event. One of Engage meets filters only."""
    if checks is None:
        return CheckedEvent(event=event)
    if not _is_of_engage(event) and (discard := checks.of_call(event)):
        return CheckedEvent(event=event, discard=discard)
    left = deepcopy(dict(event))
    steps = list(checks.steps(left))
    dropped = next((Discard(reason=FILTERED_BY_RULES, message=step.message) for step in steps if step.dropped), None)
    shown = (
        {
            "filter": step.title,
            "place": step.place,
            "if": step.query,
            "action": step.action,
            "matched": step.matched,
            "dropped": step.dropped,
            "removed": list(step.removed),
            "message": step.message,
        }
        for step in steps
    )
    return CheckedEvent(event=left, filters=tuple(shown), discard=dropped)


def _is_of_engage(event: Mapping[str, Any]) -> bool:
    context = event.get("context")
    return isinstance(context, Mapping) and "personas" in context
