"""A subscription before it is saved: its trigger for an event, what its mapping makes of it, and what lint says of it.

It is checked as if it were enabled; where nothing is connected to the destination instance yet, as if the first
audience were connected with Send Track and Send Identify: a mapping is usually made before an audience is connected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.harness.checks.finding import SUBSCRIPTION, findings_in
from emulator.harness.sample_events import connected, sample_events
from emulator.harness.subscription_context import SubscriptionContext, subscription_contexts
from emulator.harness.trigger_conditions import conditions_of, trigger_of
from emulator.mapping import UNDEFINED, EngineError, Invalid, MappingError, Ready, Step, stringify, trace_mapping
from emulator.segment.lookups import check_destination
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of
from emulator.yaml_files import dump_yaml

Shown = dict[str, Any]

NO_MATCH = "You may not have any subscriptions that match this event."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A subscription in its JSON form, at a destination instance of a workspace that has it as it is."""

    document: Mapping[str, Any]
    context: SubscriptionContext


def draft_of(
    workspace: Workspace,
    destination: str,
    subscription: Mapping[str, Any],
    *,
    conditions: Mapping[str, Any] | None = None,
) -> Draft:
    """The draft of a subscription, in place of the one with its name or beside the others.

    `conditions`, as `trigger_conditions` has them, replace its trigger. Raises NotFound for an unknown destination
    instance, InputError for conditions that FQL cannot express, WorkspaceError for what is no subscription.
    """
    document = dict(subscription)
    if conditions is not None:
        document["trigger"] = trigger_of(conditions)
    changed = with_subscription(workspace, destination, document)
    own = next(each for each in changed.destinations if each.name == destination)
    changed, own = connected(changed, own)
    name = document.get("name", document.get("action"))
    enabled = tuple(replace(each, enabled=each.enabled or each.name == name) for each in own.subscriptions)
    own = replace(own, enabled=True, subscriptions=enabled)
    others = tuple(own if each.name == destination else each for each in changed.destinations)
    contexts = subscription_contexts(replace(changed, destinations=others))
    context = next(each for each in contexts if each.destination.name == destination and each.subscription.name == name)
    return Draft(document=document, context=context)


def checked(draft: Draft, event: Mapping[str, Any] | None = None) -> Shown:
    """What the form of a mapping shows; without an event, for a sample.

    `{"event", "sample", "subscription", "trigger", "fields", "payload", "message", "findings", "yaml"}`. `trigger` has
    `text`, `error`, `matched`, its `conditions` and their `obstacle`, and a `message`. Each of the `fields` has a JSON
    pointer `path` into the mapping, and the `value` for the event, absent for none. `findings` are those of lint.
    """
    context = draft.context
    given = _sample(context) if event is None else event
    shown = conditions_of(context.trigger, given)
    matched = bool(shown.tree and shown.tree["passed"])
    fields, message = _fields(context, given)
    payload, refusal = _payload(context, given) if matched and message is None else (None, message)
    return {
        "event": dict(given),
        "sample": event is None,
        "subscription": dict(draft.document),
        "trigger": {
            "text": context.subscription.trigger,
            "error": context.trigger.error,
            "matched": matched,
            "conditions": shown.tree,
            "obstacle": shown.obstacle,
            "message": None if matched else NO_MATCH,
        },
        "fields": fields,
        "payload": payload,
        "message": refusal,
        "findings": _findings(context),
        "yaml": dump_yaml({"destinations": [{"name": context.destination.name, "subscriptions": [draft.document]}]}),
    }


def with_subscription(workspace: Workspace, destination: str, subscription: Mapping[str, Any]) -> Workspace:
    """The workspace with a subscription in its JSON form, in place of the one with its name or beside the others.

    Raises NotFound for an unknown destination instance, WorkspaceError for what is no subscription.
    """
    check_destination(workspace, destination)
    document = json.loads(json.dumps(document_of(workspace)))
    item = next(each for each in document["destinations"] if each["name"] == destination)
    listed = item["subscriptions"]
    name = subscription.get("name", subscription.get("action"))
    positions = [at for at, each in enumerate(listed) if each.get("name", each["action"]) == name]
    at = positions[0] if positions else len(listed)
    listed[at : at + 1] = [dict(subscription)]
    return parse_workspace(document, where="draft")


def _sample(context: SubscriptionContext) -> Mapping[str, Any]:
    """The first sample that passes the trigger; the first of all where none does."""
    samples = [each["event"] for each in sample_events(context.workspace, context.destination)]
    found: Mapping[str, Any] = next((each for each in samples if _matches(context, each)), samples[0])
    return found


def _matches(context: SubscriptionContext, event: Mapping[str, Any]) -> bool:
    try:
        return context.trigger.matches(event)
    except MappingError:
        return False


def _fields(context: SubscriptionContext, event: Mapping[str, Any]) -> tuple[list[Shown], str | None]:
    """The value of each field of the mapping, or the message of an engine that rejects the mapping."""
    try:
        traces = trace_mapping(context.mapping, event)
    except MappingError as error:
        return [], context.destination.masked(error.message)
    return [each for trace in traces for each in _previews(trace.step, f"/{_pointer(trace.field)}")], None


def _previews(step: Step, path: str) -> Iterator[Shown]:
    shown: Shown = {"path": path}
    if step.value is not UNDEFINED:
        # As JavaScript writes it: undefined members are omitted.
        shown["value"] = json.loads(str(stringify(step.value)))
    if step.error is not None:
        shown["error"] = step.error
    yield shown
    if step.directive is not None:
        return
    for child in step.steps:
        yield from _previews(child, f"{path}/{_pointer(child.role)}")
    # Fixed values are no steps of their own.
    below = {child.role for child in step.steps}
    for name, value in shown["value"].items() if isinstance(shown.get("value"), dict) else ():
        if name not in below:
            yield {"path": f"{path}/{_pointer(name)}", "value": value}


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _payload(context: SubscriptionContext, event: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The payload, or why there is none."""
    try:
        (found,) = context.instance().subscriptions[0].prepare([event], batch=False).events
    except EngineError as error:
        return None, context.destination.masked(error.message)
    if isinstance(found, Ready):
        return json.loads(str(stringify(found.payload))), None
    assert isinstance(found, Invalid) or found.message  # noqa: S101 - each has a message
    return None, context.destination.masked(found.message)


def _findings(context: SubscriptionContext) -> Sequence[Shown]:
    found = [each.as_dict() for each in findings_in(SUBSCRIPTION, context)]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda each: order.index(each["severity"]))
