"""What a check sends: the events of each subscription in batches, and the deletions that Segment forwards."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice, zip_longest
from typing import Any

from emulator.errors import InputError
from emulator.harness.plan import CallsOf, Run, nothing_came
from emulator.harness.sized_batches import sized_batches
from emulator.harness.upgrade.sides import DELETIONS, Place, Side
from emulator.harness.why import OpenTrial
from emulator.json_text import compact
from emulator.segment import BATCH_BYTES

_ALL = 1_000_000_000
_DISCARDED = "discarded"
# The one reason that depends on the trigger; all others stop an event before it.
_NOT_TRIGGERED = "NO_MATCHING_MAPPING"
_PUNCTUATION = re.compile(r"\W")
_OF_EACH_KIND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Events for one subscription, sent together; or one deletion."""

    place: Place
    events: tuple[Mapping[str, Any], ...]

    @property
    def deletes(self) -> bool:
        """Whether it is a deletion."""
        return self.place[1] == DELETIONS


def event_batches(
    side: Side, population: CallsOf, open_trial: OpenTrial, *, further: timedelta, report: Callable[[int], object]
) -> list[EventBatch]:
    """Runs a population through Segment, and cuts what it hands to each subscription into batches.

    Those of several subscriptions take turns. Raises WorkspaceError for a workspace that the generation does not fit,
    InputError where nothing reaches a subscription.
    """
    events: defaultdict[Place, list[Mapping[str, Any]]] = defaultdict(list)
    with open_trial(side.workspace, population.at) as services:
        run = Run.of(services, open_trial, population.at)
        run.play(population, further=further, report=report)
        for each in services.segment.deliveries(limit=_ALL):
            place = each["destination"], each["subscription"]
            if place in side.mappings and (each["outcome"] != _DISCARDED or each["reason"] == _NOT_TRIGGERED):
                events[place].append(each["payload"])
        if not events:
            cause, advice = nothing_came([run.end()], [run], population)
            message = f"no event reaches a subscription, so that there is nothing to compare: {cause}"
            raise InputError(message, hint=advice)
    sizes = {destination.name: destination.batch_size for destination in side.workspace.destinations}
    by_place = [list(_batches(place, found, sizes[place[0]])) for place, found in events.items()]
    return [each for each in chain.from_iterable(zip_longest(*by_place)) if each is not None]


def deletion_batches(side: Side, batches: Sequence[EventBatch]) -> list[EventBatch]:
    """The deletions of a few people of whom there are events, asked of every destination instance.

    Their documents differ in the user id only, so these are ten of each kind: with the same punctuation.
    """
    kinds: defaultdict[frozenset[str], dict[str, None]] = defaultdict(dict)
    for event in chain.from_iterable(batch.events for batch in batches):
        if isinstance(user_id := event.get("userId"), str) and user_id:
            kinds[frozenset(_PUNCTUATION.findall(user_id))][user_id] = None
    chosen = [user_id for found in kinds.values() for user_id in islice(found, _OF_EACH_KIND)]
    return [
        EventBatch(place=(destination.name, DELETIONS), events=({"type": "delete", "userId": user_id},))
        for destination in side.workspace.destinations
        if destination.enabled
        for user_id in chosen
    ]


def _batches(place: Place, events: Sequence[Mapping[str, Any]], size: int) -> Iterator[EventBatch]:
    """As many events at once as Segment sends."""

    def size_of(event: Mapping[str, Any]) -> int:
        return len(compact(event).encode())

    for batch in sized_batches(events, size_of, most=size, most_bytes=BATCH_BYTES):
        yield EventBatch(place=place, events=tuple(batch))
