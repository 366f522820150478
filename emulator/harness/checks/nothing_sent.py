"""Checks of the way from a source to StackAdapt: what is missing, disabled or not connected, so that nothing is sent.

One mistake is one finding: nothing is said about the subscriptions and connections of a disabled destination instance.
A finding is an error if no destination instance sends anything, and a warning if another one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.harness.checks.finding import ERROR, NOTE, WARNING, WORKSPACE, Finding, check
from emulator.segment.conditions.compile import requires
from emulator.segment.delivery.switches import DESTINATION_DISABLED, NO_SUBSCRIPTION, SUBSCRIPTION_DISABLED
from emulator.segment.profiles.profile import EMAIL
from emulator.workspace import Audience, Connection, Destination, Workspace


@check("D001", ERROR, "No source is enabled; a note for a workspace without Segment.", WORKSPACE)
def no_source(workspace: Workspace) -> Iterator[Finding]:
    if not workspace.sources:
        yield Finding(
            severity=_of_segment(workspace),
            place="sources",
            message="The workspace has no source.",
            why="Segment accepts calls only with the write key of a source, so no profile is ever created.",
            fix="Add a source: {name: Website, writeKey: segment-local}.",
        )
    elif not any(source.enabled for source in workspace.sources):
        names = ", ".join(repr(source.name) for source in workspace.sources)
        yield Finding(
            place="sources[0].enabled" if len(workspace.sources) == 1 else "sources",
            message=f"Every source is disabled: {names}.",
            why="Segment drops every call, so no profile is ever created.",
            fix="Set enabled: true on a source.",
        )


@check(
    "D002", WARNING, "A source is disabled; an error if no destination instance gets the calls of another.", WORKSPACE
)
def source_disabled(workspace: Workspace) -> Iterator[Finding]:
    disabled = {source.name for source in workspace.sources if not source.enabled}
    if len(disabled) == len(workspace.sources):
        return
    cut_off = [destination for destination in workspace.destinations if destination.source in disabled]
    for index, source in enumerate(workspace.sources):
        if source.name in disabled:
            names = ", ".join(repr(destination.name) for destination in cut_off if destination.source == source.name)
            yield Finding(
                severity=ERROR if names and len(cut_off) == len(workspace.destinations) else WARNING,
                place=f"sources[{index}].enabled",
                message=f"The source {source.name!r} is disabled.",
                why=f"Segment drops its calls.{f' No other calls reach {names}.' if names else ''}",
                fix="Set enabled: true, or remove the source.",
            )


@check("D003", ERROR, "There is no destination instance; a note for a workspace without Segment.", WORKSPACE)
def no_destination(workspace: Workspace) -> Iterator[Finding]:
    if not workspace.destinations:
        yield Finding(
            severity=_of_segment(workspace),
            place="destinations",
            message="The workspace has no destination instance.",
            why="Engage has nowhere to send an audience to.",
            fix="Add a destination instance with settings, audiences and subscriptions.",
        )


@check("D004", ERROR, "A destination instance is disabled; a warning if another one sends events.", WORKSPACE)
def destination_disabled(workspace: Workspace) -> Iterator[Finding]:
    for index, destination in enumerate(workspace.destinations):
        if not destination.enabled:
            yield Finding(
                severity=_severity(workspace),
                place=f"destinations[{index}].enabled",
                message=f"The destination instance {destination.name!r} is disabled.",
                why=f"It sends nothing: its events are discarded ({DESTINATION_DISABLED}).",
                fix="Set enabled: true, or remove the destination instance.",
            )


@check(
    "D005",
    ERROR,
    "A destination instance has no enabled subscription; a warning if another one sends events.",
    WORKSPACE,
)
def no_subscription(workspace: Workspace) -> Iterator[Finding]:
    for place, destination in _enabled(workspace):
        if any(subscription.enabled for subscription in destination.subscriptions):
            continue
        count, severity = len(destination.subscriptions), _severity(workspace)
        found = Finding(
            severity=severity,
            place=f"{place}.subscriptions{'[0].enabled' if count == 1 else ''}",
            message=f"Every subscription of {destination.name!r} is disabled.",
            why=f"Without an enabled subscription nothing is sent: the events are discarded ({SUBSCRIPTION_DISABLED}).",
            fix="Set enabled: true on a subscription.",
        )
        yield (
            found
            if count
            else replace(
                found,
                message=f"The destination instance {destination.name!r} has no subscription.",
                why=f"Without a subscription nothing is sent: the events are discarded ({NO_SUBSCRIPTION}).",
                fix="Add a subscription with an action, a trigger and a mapping.",
            )
        )


@check("D006", WARNING, "One of several subscriptions is disabled.", WORKSPACE)
def subscription_disabled(workspace: Workspace) -> Iterator[Finding]:
    for place, destination in _enabled(workspace):
        if not any(subscription.enabled for subscription in destination.subscriptions):
            continue
        for index, subscription in enumerate(destination.subscriptions):
            if not subscription.enabled:
                yield Finding(
                    place=f"{place}.subscriptions[{index}].enabled",
                    message=f"The subscription {subscription.name!r} of {destination.name!r} is disabled.",
                    why=f"It sends nothing: its events are discarded ({SUBSCRIPTION_DISABLED}).",
                    fix="Set enabled: true, or remove the subscription.",
                )


@check(
    "D007", ERROR, "Nothing is connected to a destination instance; a warning if another one sends events.", WORKSPACE
)
def nothing_connected(workspace: Workspace) -> Iterator[Finding]:
    for place, destination in _enabled(workspace):
        if not _connected(destination) and destination.source is None:
            yield Finding(
                severity=_severity(workspace),
                place=f"{place}.audiences",
                message=f"No audience or journey step is connected to {destination.name!r}.",
                why="Engage sends it no event.",
                fix=_connect(workspace),
            )


@check("D008", ERROR, "A connection sends no type of event; a warning if another one sends events.", WORKSPACE)
def toggles_off(workspace: Workspace) -> Iterator[Finding]:
    for place, destination in _enabled(workspace):
        for index, connection in enumerate(destination.connections):
            if not _sends_a_type(connection):
                yield Finding(
                    severity=_severity(workspace),
                    place=f"{place}.audiences[{index}]",
                    message=f"The connection of {connection.audience_key!r} to {destination.name!r} has sendTrack and "
                    "sendIdentify off.",
                    why="Engage sends no event when someone enters or leaves the audience.",
                    fix="Set sendTrack: true or sendIdentify: true, or both.",
                )


@check("D009", WARNING, "An audience is connected to no destination instance.", WORKSPACE)
def audience_not_connected(workspace: Workspace) -> Iterator[Finding]:
    """An audience that a condition refers to may be meant for that alone."""
    if not _all_connected(workspace):
        return
    for index, audience in enumerate(workspace.audiences):
        if audience in _unconnected(workspace):
            yield Finding(
                place=f"audiences[{index}]",
                message=f"The audience {audience.key!r} is connected to no destination instance.",
                why="Nothing is sent when someone enters or leaves it.",
                fix=f"Add {{key: {audience.key}}} to the audiences of a destination instance.",
            )


@check("D010", WARNING, "No step of a journey is connected to a destination instance.", WORKSPACE)
def journey_not_connected(workspace: Workspace) -> Iterator[Finding]:
    if not _all_connected(workspace):
        return
    connected = {step.step_key for destination in workspace.destinations for step in destination.step_connections}
    for index, journey in enumerate(workspace.journeys):
        if connected.isdisjoint(step.key for step in journey.steps):
            yield Finding(
                place=f"journeys[{index}]",
                message=f"No step of the journey {journey.name!r} is connected to a destination instance.",
                why="Nothing is sent when someone joins or leaves the journey.",
                fix=f"Add {{key: {journey.steps[0].key}}} to the journeySteps of a destination instance.",
            )


@check("D011", NOTE, "People without an email enter a connected audience.", WORKSPACE)
def email_not_required(workspace: Workspace) -> Iterator[Finding]:
    """A note, since it is so in most workspaces, and the rejections may be what is to be tested."""
    conditions = {audience.key: audience.condition for audience in workspace.audiences}
    connections = (connection for _, destination in _enabled(workspace) for connection in destination.connections)
    connected = {connection.audience_key for connection in connections if _sends_a_type(connection)}
    for index, audience in enumerate(workspace.audiences):
        if audience.key in connected and not requires(audience.condition, EMAIL, conditions):
            yield Finding(
                place=f"audiences[{index}].condition",
                message=f"The condition of the audience {audience.key!r} does not require an email.",
                why="People without one enter it too: the mapping or StackAdapt rejects them, and no profile appears.",
                fix="Combine it with {trait: email, operator: exists} under all.",
            )


def _severity(workspace: Workspace) -> str:
    sending = any(
        destination.source or destination.step_connections or any(map(_sends_a_type, destination.connections))
        for _, destination in _enabled(workspace)
        if any(subscription.enabled for subscription in destination.subscriptions)
    )
    return WARNING if sending else ERROR


def _enabled(workspace: Workspace) -> Iterator[tuple[str, Destination]]:
    """The enabled destination instances, each with its place."""
    for index, destination in enumerate(workspace.destinations):
        if destination.enabled:
            yield f"destinations[{index}]", destination


def _connected(destination: Destination) -> bool:
    return bool(destination.connections or destination.step_connections)


def _all_connected(workspace: Workspace) -> bool:
    """Whether something is connected to every destination instance; otherwise the missing connection is found there."""
    return bool(workspace.destinations) and all(
        _connected(destination) or destination.source for _, destination in _enabled(workspace)
    )


def _sends_a_type(connection: Connection) -> bool:
    return connection.send_track or connection.send_identify


def _unconnected(workspace: Workspace) -> list[Audience]:
    """The audiences that are neither connected nor part of another condition."""
    conditions: list[Mapping[str, Any]] = [audience.condition for audience in workspace.audiences]
    for journey in workspace.journeys:
        passed = (journey.entry, journey.exit, *(step.condition for step in journey.steps))
        conditions += [condition for condition in passed if condition is not None]
    used = {key for condition in conditions for key in _audiences_in(condition)}
    used |= {each.audience_key for destination in workspace.destinations for each in destination.connections}
    return [audience for audience in workspace.audiences if audience.key not in used]


def _audiences_in(condition: Mapping[str, Any]) -> Iterator[str]:
    if "audience" in condition:
        yield condition["audience"]
    negated = [condition["not"]] if "not" in condition else []
    for part in (*condition.get("all", ()), *condition.get("any", ()), *negated):
        yield from _audiences_in(part)


def _connect(workspace: Workspace) -> str:
    for audience in (*_unconnected(workspace), *workspace.audiences):
        return f"Add {{key: {audience.key}}} to its audiences."
    for journey in workspace.journeys:
        return f"Add {{key: {journey.steps[0].key}}} to its journeySteps."
    return "Declare an audience under audiences, and add its key to the audiences of the destination instance."


def _of_segment(workspace: Workspace) -> str:
    """A workspace without anything of Segment is one for StackAdapt's API alone."""
    of_segment = (workspace.sources, workspace.audiences, workspace.journeys, workspace.destinations)
    return ERROR if any(of_segment) else NOTE
