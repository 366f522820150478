"""Checks of destination instances that are connected to a source: what its calls meet there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.harness.checks.finding import NOTE, SUBSCRIPTION, WARNING, WORKSPACE, Finding, check
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import EngineError, Invalid
from emulator.workspace import Destination, Workspace

# A call with all that a mapping may ask for, and none of Engage's context.
_CALL: Mapping[str, Any] = {
    "type": "identify",
    "messageId": "m1",
    "userId": "u1",
    "traits": {"email": "person@example.com"},
    "context": {"traits": {"email": "person@example.com"}},
}
_OF_ENGAGE = "segment_computation_"


@check("F004", WARNING, "The calls of a connected source are rejected: the mapping is for audiences.", SUBSCRIPTION)
def calls_rejected(context: SubscriptionContext) -> Iterator[Finding]:
    source = _connected(context.destination, context.workspace)
    if source is None or not (context.subscription.enabled and context.trigger.matches(_CALL)):
        return
    try:
        prepared = context.instance().subscriptions[0].prepare([_CALL], batch=False)
    except EngineError:
        return
    (found,) = prepared.events
    if isinstance(found, Invalid) and _OF_ENGAGE in found.message:
        yield Finding(
            place=f"{context.place}.trigger",
            message=f"{context.subscription.name!r} lets calls of the source {source!r} pass, and rejects them all.",
            found=context.subscription.trigger,
            why="It needs the computation that only events of Engage have: the generations after 3.387.0 forward no "
            "other calls.",
            fix="Remove the source of the destination instance, or take a generation with the action forwardProfile.",
        )


@check("F005", NOTE, "A destination instance is connected to a source and to an audience.", WORKSPACE)
def source_and_audience(workspace: Workspace) -> Iterator[Finding]:
    for index, destination in enumerate(workspace.destinations):
        if _connected(destination, workspace) and (destination.connections or destination.step_connections):
            yield Finding(
                place=f"destinations[{index}].source",
                message=f"{destination.name!r} is connected to the source {destination.source!r} and to an audience.",
                why="In Segment an audience cannot be connected to an instance that is connected to a source.",
                fix="Give the source a destination instance of its own.",
            )


@check("F006", WARNING, "Categories of consent have no effect on a destination instance without a source.", WORKSPACE)
def consent_without_calls(workspace: Workspace) -> Iterator[Finding]:
    for index, destination in enumerate(workspace.destinations):
        if destination.enabled and destination.consent and destination.source is None:
            yield Finding(
                place=f"destinations[{index}].consent",
                message=f"{destination.name!r} has categories of consent, and gets events of Engage only.",
                why="Events of Engage have no consent object, so that they are sent without any consent.",
                fix="Put the consent in the audience's condition: {trait: consent_ads, operator: equals, value: true}.",
            )


def _connected(destination: Destination, workspace: Workspace) -> str | None:
    """The name of the source whose calls it gets; None where it, or the source, is disabled."""
    sending = any(source.enabled and source.name == destination.source for source in workspace.sources)
    return destination.source if sending and destination.enabled else None
