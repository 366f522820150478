"""Why the record about a person lacks a trait that the sent event had: what of the mapping does not carry it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from emulator.harness.destination_checks import check_event, checks_of
from emulator.harness.subscription_context import SubscriptionContext, subscription_contexts
from emulator.mapping import UNDEFINED, MappingError, trace_mapping
from emulator.workspace import Workspace

NO_TRAITS_FIELD: Final = "NO_TRAITS_FIELD"
NOT_IN_MAPPING: Final = "NOT_IN_MAPPING"
NO_VALUE_AT_PATH: Final = "NO_VALUE_AT_PATH"
REMOVED_BY_FILTER: Final = "REMOVED_BY_FILTER"
UNKNOWN_FIELD: Final = "UNKNOWN_FIELD"
RESERVED_NAME: Final = "RESERVED_NAME"
OTHER_PROPERTIES_MODE: Final = "OTHER_PROPERTIES_MODE"
# The reasons, by how little is left to change.
REASONS: Final = (
    REMOVED_BY_FILTER,
    NO_TRAITS_FIELD,
    NOT_IN_MAPPING,
    NO_VALUE_AT_PATH,
    UNKNOWN_FIELD,
    RESERVED_NAME,
    OTHER_PROPERTIES_MODE,
)

# It decides which of the two fields for custom properties is read; `v1` and no mode are the same.
MODE_FIELD: Final = "custom_properties_mode"
_READ_IN_V2, _READ_OTHERWISE = "custom_user_properties", "custom_traits"
# The fields of any action that hold properties of a profile.
_FIELDS = ("standard_traits", _READ_OTHERWISE, _READ_IN_V2, "traits")
# What has the traits in an identify event, and in a track event.
_HOLDERS = ("traits", "properties")
_AUDIENCE_FIELDS = ("segment_computation_key", "segment_computation_id")


@dataclass(frozen=True, slots=True)
class Unread:
    """`reason` is one of REASONS."""

    reason: str
    message: str
    advice: str


def unread(delivery: Mapping[str, Any], key: str, trait: str, workspace: Workspace) -> Unread:
    """Why a sent event with the trait brought no property `key`, by the workspace's present mapping."""
    context = _context(delivery, workspace)
    if context is None or context.action is None:
        return _left_out(delivery["subscription"], key, trait, "the mapping")
    return _by_mapping(context, delivery["payload"], key, trait)


def removed(delivery: Mapping[str, Any], trait: str, value: object, workspace: Workspace) -> Unread | None:
    """The filter that takes a trait out of an event like this one, which is kept as it left the filters."""
    context = _context(delivery, workspace)
    if context is None:
        return None
    event = deepcopy(dict(delivery["payload"]))
    for holder in _HOLDERS:
        if isinstance(event.get(holder), dict):
            event[holder][trait] = value
    for step in check_event(event, checks_of(context)).filters:
        if any(path.rpartition(".")[2] == trait for path in step["removed"]):
            return Unread(
                REMOVED_BY_FILTER,
                f"the filter {step['filter']!r} of {context.destination.name!r} takes {trait!r} out of the event",
                f"Let the filter keep {trait!r}, or disable it.",
            )
    return None


def _context(delivery: Mapping[str, Any], workspace: Workspace) -> SubscriptionContext | None:
    name = (delivery["destination"], delivery["subscription"])
    contexts = subscription_contexts(workspace)
    return next((each for each in contexts if (each.destination.name, each.subscription.name) == name), None)


def _by_mapping(context: SubscriptionContext, event: Mapping[str, Any], key: str, trait: str) -> Unread:
    values = _values(context, event)
    fields = {field.key: field for field in context.action.fields} if context.action else {}
    read = _READ_IN_V2 if values.get(MODE_FIELD) == "v2" else _READ_OTHERWISE
    target = next((each for each in (read, "traits") if each in fields), None)
    if target is None:
        return _no_field(context)
    mapped = f"the mapping of {context.subscription.name!r}"
    for held in _FIELDS:
        if _member(values.get(held), key) is UNDEFINED:
            continue
        declared = fields.get(held)
        members = {each.key for each in declared.properties} if declared else set()
        if declared is None or (held == "standard_traits" and key not in members):
            place = held if declared is None else f"{held}.{key}"
            return Unread(
                UNKNOWN_FIELD,
                f"{mapped} has {key!r} in {held}, and {_action(context)} has no {place}",
                f"Map {key!r} in {target}.",
            )
        if key in [values.get(each) for each in _AUDIENCE_FIELDS]:
            return Unread(
                RESERVED_NAME,
                f"{key!r} is the key or the ID of the audience, and the destination leaves such a property out",
                "Give the property another name.",
            )
        if held in (_READ_IN_V2, _READ_OTHERWISE) and held != read:
            return _other_mode(context, values.get(MODE_FIELD), key, held=held, read=read)
    for held in _FIELDS:
        if (directive := _member(context.mapping.get(held), key)) is not UNDEFINED:
            shown = json.dumps(directive, ensure_ascii=False)
            return Unread(
                NO_VALUE_AT_PATH,
                f"{mapped} reads {key!r} in {held} from {shown}, where the event has no value",
                f"Read it from {_path(event, trait)}.",
            )
    return _left_out(context.subscription.name, key, trait, target)


def _other_mode(context: SubscriptionContext, mode: object, key: str, *, held: str, read: str) -> Unread:
    own = MODE_FIELD in context.subscription.mapping
    origin = "the mapping sets it" if own else f"the default of {context.definition.generation}"
    named = f"{json.dumps(mode)} ({origin})" if mode is not None else "not set"
    other = "v2" if held == _READ_IN_V2 else "v1"
    return Unread(
        OTHER_PROPERTIES_MODE,
        f"the mapping of {context.subscription.name!r} has {key!r} in {held}, which is not read: "
        f"{MODE_FIELD} is {named}, and so custom properties are read from {read}",
        f'Set {MODE_FIELD} to "{other}" in the mapping of {context.subscription.name!r}, or move {key!r} to {read}.',
    )


def _no_field(context: SubscriptionContext) -> Unread:
    carrying = [each.title for each in context.definition.actions.values() if "traits" in [f.key for f in each.fields]]
    return Unread(
        NO_TRAITS_FIELD,
        f"{_action(context)}, which {context.subscription.name!r} uses, sends no traits",
        " ".join(f"Add a mapping of the action {title!r}, which sends them." for title in carrying),
    )


def _left_out(subscription: str, key: str, trait: str, target: str) -> Unread:
    message = f"the event that Engage sent has {trait!r}, and the mapping of {subscription!r} leaves it out"
    return Unread(NOT_IN_MAPPING, message, f"Add {key!r} to {target} of {subscription!r}.")


def _action(context: SubscriptionContext) -> str:
    title = context.action.title if context.action else context.subscription.action
    return f"the action {title!r} of {context.definition.generation}"


def _values(context: SubscriptionContext, event: Mapping[str, Any]) -> dict[str, Any]:
    """What each field of the mapping is for an event; nothing for a mapping that is not valid."""
    try:
        traces = trace_mapping(context.mapping, event)
    except MappingError:
        return {}
    return {trace.field: trace.value for trace in traces if trace.value is not UNDEFINED}


def _member(value: object, key: str) -> Any:
    """The member of an object, or the value of a named item of an array; UNDEFINED where there is none."""
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    items = value if isinstance(value, list) else []
    named = [each.get("value", UNDEFINED) for each in items if isinstance(each, dict) and each.get("name") == key]
    return named[-1] if named else UNDEFINED


def _path(event: Mapping[str, Any], trait: str) -> str:
    held = next((each for each in _HOLDERS if trait in (event.get(each) or {})), _HOLDERS[0])
    return f"$.{held}.{trait}"
