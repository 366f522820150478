"""What stops an event before the triggers of a destination instance: consent, the integrations object, filters.

In this order ("Consent in Segment Connections", "Filtering your Segment Data" and "Destination Filters" in Segment's
documentation). Engage's own events have no consent object, and an integrations object that names the destination, so
that only filters can stop them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.ids import Ids
from emulator.json_text import parsed
from emulator.segment.delivery.subscriptions import integrations
from emulator.segment.delivery.switches import Discard
from emulator.segment.engage.emitted_events import EmittedEvent
from emulator.segment.event_filters.destination_filters import Chance, DestinationFilters, FilterStep
from emulator.workspace import Workspace

# Delivery Overview's codes for what is filtered at the destination.
FILTERED_BY_RULES: Final = "FILTERED_BY_RULES"
FILTERED_BY_INTEGRATIONS_OBJECT: Final = "FILTERED_BY_INTEGRATIONS_OBJECT"
FILTERED_BY_END_USER_CONSENT: Final = "FILTERED_BY_END_USER_CONSENT"

# "Segment Consent Preference Updated event": it is sent whatever the preferences are.
CONSENT_EVENT: Final = "Segment Consent Preference Updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventChecks:
    """The checks of one destination instance. `integration` is the name by which calls name it."""

    place: str
    integration: str
    consent: tuple[str, ...]
    filters: DestinationFilters
    chance: Chance

    def of_call(self, call: Mapping[str, Any]) -> Discard | None:
        """Why a call of a source is not for this destination instance; None if it is."""
        return self._without_consent(call) or self._not_named(call)

    def steps(self, event: dict[str, Any]) -> Iterator[FilterStep]:
        """Applies the filters to an event, in place: see `DestinationFilters.steps`."""
        return self.filters.steps(event, self.chance)

    def apply_filters(self, event: dict[str, Any]) -> tuple[bool, Discard | None]:
        """Applies the filters to an event, in place; returns whether it was changed, and why it was dropped."""
        changed = False
        for step in self.steps(event):
            changed = changed or bool(step.removed)
            if step.dropped:
                return changed, Discard(reason=FILTERED_BY_RULES, message=step.message)
        return changed, None

    def _without_consent(self, call: Mapping[str, Any]) -> Discard | None:
        if not self.consent or call.get("event") == CONSENT_EVENT:
            return None
        preferences = _preferences(call)
        refused = [] if preferences is None else [name for name in self.consent if preferences.get(name) is not True]
        if not refused:
            return None
        named = ", ".join(map(repr, refused))
        message = f"the call has no consent to {named}, and {self.place}.consent.categories requires it"
        return Discard(reason=FILTERED_BY_END_USER_CONSENT, message=message)

    def _not_named(self, call: Mapping[str, Any]) -> Discard | None:
        named = call.get("integrations")
        if not isinstance(named, Mapping):
            return None
        own = named.get(self.integration)
        if own is False or (own is None and named.get("All") is False):
            switch = f"{self.integration!r}: false" if own is False else "'All': false"
            message = f"the call's integrations object has {switch}{self._other_spelling(named)}"
            return Discard(reason=FILTERED_BY_INTEGRATIONS_OBJECT, message=message)
        return None

    def _other_spelling(self, named: Mapping[str, Any]) -> str:
        wanted = self.integration.casefold()
        close = [name for name in named if name != self.integration and name.casefold() == wanted]
        return f"; names are case-sensitive, and {close[0]!r} is not {self.integration!r}" if close else ""


def event_checks(workspace: Workspace, ids: Ids) -> dict[str, EventChecks]:
    """The checks of each destination instance that gets calls of a source or has filters, by its name."""
    names = integrations(workspace)

    def chance(*name: object) -> float:
        return ids.stream(*name).random()

    return {
        destination.name: EventChecks(
            place=f"destinations[{index}]",
            integration=names[destination.name],
            consent=destination.consent,
            filters=DestinationFilters(destination.filters, f"destinations[{index}]"),
            chance=chance,
        )
        for index, destination in enumerate(workspace.destinations)
        if destination.source is not None or any(each.enabled for each in destination.filters)
    }


def checked(
    events: Sequence[EmittedEvent], checks: Mapping[str, EventChecks]
) -> tuple[list[EmittedEvent], dict[int, Discard]]:
    """The events as filters leave them, and why some of them go no further, by position."""
    left: list[EmittedEvent] = []
    stopped: dict[int, Discard] = {}
    for position, event in enumerate(events):
        check = checks.get(event.destination)
        if check is None or not (event.is_call or check.filters):
            left.append(event)
            continue
        payload = parsed(event.text)
        discard = check.of_call(payload) if event.is_call else None
        changed = False
        if discard is None:
            changed, discard = check.apply_filters(payload)
        if discard is not None:
            # A dropped event is shown as it came.
            stopped[position] = discard
        left.append(event.with_payload(payload) if changed and discard is None else event)
    return left, stopped


def _preferences(call: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The preferences in a call's consent object; None where there is nothing to enforce.

    An empty consent object counts as no consent if the call has an integrations object, too ("Reconcile consent object
    and integrations object conflicts").
    """
    context = call.get("context")
    consent = context.get("consent") if isinstance(context, Mapping) else None
    if not isinstance(consent, Mapping) or not (consent or call.get("integrations")):
        return None
    preferences = consent.get("categoryPreferences")
    return preferences if isinstance(preferences, Mapping) else {}
