"""Checks of destination filters: queries that are no FQL, and filters that an audience's events do not survive.

What a filter does is found out with sample events of the connected audiences, and only where its query reads nothing
that depends on the profile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from emulator.harness.checks.finding import ERROR, SUBSCRIPTION, WARNING, WORKSPACE, Finding, check
from emulator.harness.subscription_context import SubscriptionContext, sample_messages
from emulator.mapping import EngineError, Invalid
from emulator.segment.event_filters.destination_filters import DestinationFilters, FilterStep, mistake_in
from emulator.segment.event_filters.functions import QueryError
from emulator.segment.event_filters.query import Query
from emulator.workspace import Filter, Workspace


@check("F001", ERROR, "The query of a destination filter cannot be parsed.", WORKSPACE)
def no_fql(workspace: Workspace) -> Iterator[Finding]:
    for index, destination in enumerate(workspace.destinations):
        for position, each in enumerate(destination.filters):
            if each.enabled and (mistake := mistake_in(each.condition)):
                yield Finding(
                    place=f"destinations[{index}].filters[{position}].if",
                    message=f"The filter {each.title!r} cannot be parsed: {mistake}.",
                    found=each.condition,
                    why=f"Segment drops every event for {destination.name!r} rather than send what the filter may have "
                    "been meant to keep back.",
                    fix="Write text in quotes and = for equality: type = 'track' and contains(event, 'Order').",
                )


@check("F002", ERROR, "A destination filter drops every event of a connected audience.", SUBSCRIPTION)
def drops_everything(context: SubscriptionContext) -> Iterator[Finding]:
    dropping: dict[str, list[FilterStep | None]] = {}
    for sample in _samples(context):
        key = sample["context"]["personas"]["computation_key"]
        step = next((step for step in _applied(context, sample)[1] if step.dropped), None)
        dropping.setdefault(key, []).append(step)
    for key, steps in dropping.items():
        if (step := steps[0]) is not None and None not in steps:
            yield Finding(
                place=step.place,
                message=f"The filters of {context.destination.name!r} drop every event of {key!r}; {step.message}.",
                found=step.query,
                why="No change of the audience reaches StackAdapt.",
                fix="Let the events of the audience pass: and context.personas.computation_class != 'audience'.",
            )


@check("F003", WARNING, "A destination filter removes what the mapping needs.", SUBSCRIPTION)
def removes_what_is_needed(context: SubscriptionContext) -> Iterator[Finding]:
    for sample in _samples(context):
        left, steps = _applied(context, sample)
        removing = [step for step in steps if step.removed]
        if not removing or any(step.dropped for step in steps) or _mistake(context, sample) is not None:
            continue
        if mistake := _mistake(context, left):
            yield Finding(
                place=removing[-1].place,
                message=f"The mapping of {context.subscription.name!r} needs what a filter removes; "
                f"{removing[-1].message}.",
                found=mistake,
                why="Every event of a connected audience is rejected.",
                fix="Leave in the event what the mapping needs, or map the field to something else.",
            )
            return


def _samples(context: SubscriptionContext) -> Iterator[Mapping[str, Any]]:
    """The events of the connected audiences and steps; none where there is no filter."""
    filtered = any(each.enabled for each in _known(context))
    if filtered and context.destination.enabled and context.subscription.enabled:
        for entered in (True, False):
            for _, payload in sample_messages(context, entered=entered):
                yield payload


def _applied(context: SubscriptionContext, sample: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[FilterStep]]:
    index = context.workspace.destinations.index(context.destination)
    left = deepcopy(dict(sample))
    filters = DestinationFilters(_known(context), f"destinations[{index}]")
    return left, list(filters.steps(left, lambda *_: 0.0))


def _known(context: SubscriptionContext) -> list[Filter]:
    """The filters in their places, those disabled whose effect depends on the profile."""
    keys = {audience.key for _, audience in context.audiences()}
    return [replace(each, enabled=each.enabled and _is_known(each, keys)) for each in context.destination.filters]


def _is_known(each: Filter, keys: Collection[str]) -> bool:
    if any(action.path for action in each.actions):
        return False
    try:
        return all(_is_of_the_audience(path, keys) for path in Query(each.condition).paths)
    except QueryError:
        # Found by F001.
        return False


def _is_of_the_audience(path: tuple[str, ...], keys: Collection[str]) -> bool:
    """Whether the field is the same in all events of an audience of one type, for every profile."""
    if path[0] in ("traits", "properties"):
        return len(path) > 1 and (path[1] in keys or path[1] == "audience_key")
    return path[0] in ("type", "event", "integrations") or path[:2] in (("context", "personas"), ("context", "library"))


def _mistake(context: SubscriptionContext, event: Mapping[str, Any]) -> str | None:
    """Why the mapping or its validation refuses an event."""
    try:
        prepared = context.instance().subscriptions[0].prepare([event], batch=False)
    except EngineError as error:
        return error.message
    (found,) = prepared.events
    return found.message if isinstance(found, Invalid) else None
