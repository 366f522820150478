"""What the mappings of a workspace made of the events about one person: each field's value, and where it is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.harness.destination_checks import check_event, checks_of
from emulator.harness.subscription_context import SubscriptionContext, subscription_contexts
from emulator.harness.why import Evidence
from emulator.mapping import UNDEFINED, MappingError, trace_mapping
from emulator.workspace import Workspace

_SENT = "sent"


@dataclass(frozen=True, slots=True)
class SentField:
    """`origin` is `mapping`, or `default of 3.517.0` where the mapping leaves the field out."""

    value: Any
    origin: str


# The fields of each mapping (destination instance and subscription) by their paths, such as `standard_traits.city`.
Sent = Mapping[tuple[str, str], Mapping[str, SentField]]


def sent_fields(evidence: Evidence, workspace: Workspace) -> Sent:
    """The fields of what was sent about a person; of several events the last that has the field."""
    found: dict[tuple[str, str], dict[str, SentField]] = {}
    by_name = {(each.destination.name, each.subscription.name): each for each in subscription_contexts(workspace)}
    for delivery in evidence.deliveries:
        name = (delivery["destination"], delivery["subscription"])
        if delivery["outcome"] == _SENT and name in by_name:
            found.setdefault(name, {}).update(_fields(by_name[name], delivery["payload"]))
    return found


def _fields(context: SubscriptionContext, payload: Mapping[str, Any]) -> Iterator[tuple[str, SentField]]:
    event = check_event(payload, checks_of(context)).event
    try:
        traces = trace_mapping(context.mapping, event)
    except MappingError:
        # Such a mapping sends nothing.
        return
    for trace in traces:
        own = trace.field in context.subscription.mapping
        origin = "mapping" if own else f"default of {context.definition.generation}"
        yield from ((path, SentField(value, origin)) for path, value in _leaves(trace.field, trace.value))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values of an object, or of an array of named objects, each with its path; other values as they are."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(f"{path}.{name}", member)
    elif isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
        for each in value:
            yield f"{path}.{each['name']}", each.get("value")
    elif value is not UNDEFINED:
        yield path, value
