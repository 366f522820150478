"""Checks of what sources let through and of who people are: tracking plans, schema controls, identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from emulator.harness.checks.finding import ERROR, NOTE, WARNING, WORKSPACE, Finding, check
from emulator.rule_schemas import lookarounds
from emulator.workspace import Source, Workspace
from emulator.workspace_protocols import ALLOW, TrackingPlan

_VIEWS = ("Page Viewed", "Screen Viewed")
# None of them is a placeholder.
_IDS = ("u1", "1042", "ada@example.com", "97980cfe-a0bd-4f8b-9e5a-5d4c5f6c7d8e")


@check("R001", WARNING, "A source blocks an event that an audience or a journey counts.", WORKSPACE)
def counted_event_blocked(workspace: Workspace) -> Iterator[Finding]:
    counted = dict(_named_in(workspace, "event"))
    for place, source, plan in _sources(workspace):
        for event, of in counted.items():
            if event in source.schema.track.blocked:
                where, why = "track.blockedEvents", "the source's schema configuration switches it off"
            elif plan and not source.schema.track.allow_unplanned_events and not _has_event(plan, event):
                where, why = "track.allowUnplannedEvents", f"{plan.name!r} does not have it"
            else:
                continue
            yield Finding(
                place=f"{place}.schema.{where}",
                message=f"The source {source.name!r} blocks {event!r}, which {of} counts.",
                why=f"Segment filters the event at the source: {why}.",
                fix="Add the event to the tracking plan, in the same spelling, or let it through.",
            )


@check("R002", WARNING, "A source leaves out a trait that an audience or a destination needs.", WORKSPACE)
def needed_trait_left_out(workspace: Workspace) -> Iterator[Finding]:
    needed = {**dict(_sent_traits(workspace)), **dict(_named_in(workspace, "trait"))}
    for place, source, plan in _sources(workspace):
        controls = source.schema.identify
        for trait, of in needed.items():
            if trait in controls.blocked:
                where = "blockedTraits"
            elif plan and not controls.allow_unplanned and trait not in _planned_traits(plan):
                where = "allowUnplannedTraits"
            else:
                continue
            yield Finding(
                place=f"{place}.schema.identify.{where}",
                message=f"The source {source.name!r} leaves out the trait {trait!r}, which {of} needs.",
                why="The identify call goes on without it, so no profile gets it from this source.",
                fix="Add the trait to the tracking plan's IDENTIFY rule, or let it through.",
            )


@check("R003", NOTE, "No source is connected to a tracking plan.", WORKSPACE)
def plan_without_source(workspace: Workspace) -> Iterator[Finding]:
    used = {source.tracking_plan for source in workspace.sources}
    for index, plan in enumerate(workspace.tracking_plans):
        if plan.name not in used:
            yield Finding(
                place=f"trackingPlans[{index}]",
                message=f"No source is connected to the tracking plan {plan.name!r}.",
                why="It checks no call.",
                fix=f"Set trackingPlan: {plan.name} on a source, or remove the plan.",
            )


@check("R004", WARNING, "A schema configuration is about a tracking plan, and the source has none.", WORKSPACE)
def controls_without_plan(workspace: Workspace) -> Iterator[Finding]:
    for place, source, plan in _sources(workspace):
        each = (source.schema.track, source.schema.identify, source.schema.group)
        strict = any(
            not (
                controls.allow_unplanned
                and controls.allow_unplanned_events
                and controls.allow_event_on_violations
                and controls.allow_invalid
                and controls.common == ALLOW
            )
            for controls in each
        )
        if plan is None and strict:
            yield Finding(
                place=f"{place}.schema",
                message=f"The source {source.name!r} has no tracking plan.",
                why="What its schema configuration says of unplanned parts and of violations has no effect.",
                fix="Set trackingPlan on the source, or remove these settings.",
            )


@check("R005", WARNING, "Events or traits are switched off at a source with a tracking plan.", WORKSPACE)
def switches_beside_plan(workspace: Workspace) -> Iterator[Finding]:
    for place, source, plan in _sources(workspace):
        each = (source.schema.track, source.schema.identify, source.schema.group)
        if plan is not None and any(controls.blocked for controls in each):
            yield Finding(
                place=f"{place}.schema",
                message=f"The source {source.name!r} has a tracking plan, and events or traits that are switched off.",
                why="The Source Schema has switches only for a source without a tracking plan.",
                fix="Remove them from the tracking plan instead, and block what is unplanned.",
            )


@check("R006", ERROR, "A tracking plan has a regular expression that Segment does not support.", WORKSPACE)
def unsupported_pattern(workspace: Workspace) -> Iterator[Finding]:
    for index, plan in enumerate(workspace.tracking_plans):
        for position, rule in enumerate(plan.rules):
            for pattern in lookarounds(rule.json_schema):
                yield Finding(
                    place=f"trackingPlans[{index}].rules[{position}].jsonSchema",
                    message=f"The pattern {pattern!r} looks ahead or behind.",
                    why="Segment does not support this, so the rule cannot be saved there as it is.",
                    fix="Write the rule with not in the JSON Schema.",
                )


@check("I001", ERROR, "Neither the user id nor the email is an identifier of the space.", WORKSPACE)
def nothing_that_audiences_need(workspace: Workspace) -> Iterator[Finding]:
    identifiers = workspace.space.identifiers
    if identifiers is not None and not {"user_id", "email"} & {each.type for each in identifiers}:
        yield Finding(
            place="space.identifiers",
            message="Neither user_id nor email is among the identifiers.",
            why="Audiences are computed only for profiles with a user id or an email, so all of them stay empty.",
            fix="Add {type: user_id} and {type: email}.",
        )


@check("I002", WARNING, "A blocked pattern matches ordinary identifiers.", WORKSPACE)
def everything_blocked(workspace: Workspace) -> Iterator[Finding]:
    for index, identifier in enumerate(workspace.space.identifiers or ()):
        for pattern in identifier.blocked_patterns:
            if all(re.search(pattern, value) for value in _IDS):
                yield Finding(
                    place=f"space.identifiers[{index}].blockedValues",
                    message=f"The pattern {pattern!r} blocks every {identifier.type}.",
                    why="A pattern matches any part of a value, so nothing is promoted.",
                    fix="Anchor it, as in ^[0-]*$.",
                )


def _sources(workspace: Workspace) -> Iterator[tuple[str, Source, TrackingPlan | None]]:
    """The sources that calls come in at, each with its place and its tracking plan."""
    plans = {plan.name: plan for plan in workspace.tracking_plans}
    for index, source in enumerate(workspace.sources):
        if source.enabled:
            yield f"sources[{index}]", source, plans.get(source.tracking_plan or "")


def _named_in(workspace: Workspace, key: str) -> Iterator[tuple[str, str]]:
    """The events or traits that conditions name, and who needs each."""
    for audience in workspace.audiences:
        for name in _names(audience.condition, key):
            yield name, f"audience {audience.key!r}"
    for journey in workspace.journeys:
        for condition in (journey.entry, journey.exit, *(step.condition for step in journey.steps)):
            for name in _names(condition or {}, key):
                yield name, f"journey {journey.name!r}"


def _names(condition: Mapping[str, Any], key: str) -> Iterator[str]:
    if isinstance(condition.get(key), str):
        yield condition[key]
    inner = [*condition.get("all", ()), *condition.get("any", ()), *([condition["not"]] if "not" in condition else [])]
    for part in inner:
        yield from _names(part, key)


def _sent_traits(workspace: Workspace) -> Iterator[tuple[str, str]]:
    for destination in workspace.destinations:
        connected = [each.traits for each in destination.connections]
        connected += [each.traits for each in destination.step_connections]
        for trait in chain.from_iterable(connected):
            yield trait, f"destination {destination.name!r}"


def _has_event(plan: TrackingPlan, event: str) -> bool:
    # Page and screen calls are not blocked as unplanned.
    return event in _VIEWS or any(rule.type == "TRACK" and rule.key == event for rule in plan.rules)


def _planned_traits(plan: TrackingPlan) -> set[str]:
    found: set[str] = set()
    for rule in plan.rules:
        if rule.type == "IDENTIFY":
            traits = rule.json_schema.get("properties", {}).get("traits", {})
            found.update(traits.get("properties", {}) if isinstance(traits, Mapping) else ())
    return found
