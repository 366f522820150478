"""Checks of a mapping: whether every event produces a record that StackAdapt can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from emulator.errors import nearest
from emulator.harness.checks.document_kinds import Content
from emulator.harness.checks.finding import ERROR, NOTE, SUBSCRIPTION, WARNING, Finding, check, sentence
from emulator.harness.subscription_context import SAMPLE_TIME, SubscriptionContext, sample_messages
from emulator.mapping import (
    Field,
    MappingError,
    MappingMistake,
    compile_mapping,
    generations,
    load_definition,
    mapping_mistakes,
    newest,
)
from emulator.schemas import Path
from emulator.schemas import place as place_of

# Fields with free text, as the old and the new generations spell them.
_FREE_TEXT = ("first_name", "last_name", "firstName", "lastName", "address", "city")
_ALONE = ("mapping", "destination-instance")
_IGNORED = "The engine ignores it silently."
_REMOVE = "Remove the field."
_OWN_NAME = "Give every custom property a unique name."


@check("M001", ERROR, "The generation does not have the action.", SUBSCRIPTION)
def unknown_action(context: SubscriptionContext) -> Iterator[Finding]:
    if context.action is None:
        action, known = context.subscription.action, context.definition.actions
        yield Finding(
            place=f"{context.place}.action",
            message=f"Generation {context.definition.generation} has no action {action!r}.",
            allowed=", ".join(known),
            why="A subscription sends nothing without an action.",
            fix=nearest(action, known) or "Use an action of this generation, or another generation.",
        )


@check("M002", ERROR, "The mapping engine rejects the mapping, or a part of it.", SUBSCRIPTION)
def invalid_mapping(context: SubscriptionContext) -> Iterator[Finding]:
    mistakes = mapping_mistakes(context.mapping)
    for mistake in mistakes:
        yield _rejected(mistake, f"{context.place}.{place_of(('mapping', *mistake.place))}")
    if mistakes:
        return
    resolve = compile_mapping(context.mapping, now=lambda: SAMPLE_TIME)
    for kind, event in sample_messages(context):
        try:
            resolve(event)
        except MappingError as error:
            yield Finding(
                place=f"{context.place}.mapping",
                message=sentence(f"The mapping engine fails on {kind} events: {error.message}"),
                why="The event, and every batch that it is in, is not sent.",
                fix="Correct the directive that the message is about.",
            )


@check("M012", ERROR, "The mapping engine rejects a mapping without a workspace, or a part of it.", *_ALONE)
def invalid_mapping_without_workspace(content: Content) -> Iterator[Finding]:
    for path, mapping, _ in _mappings_in(content):
        for mistake in mapping_mistakes(mapping):
            yield _rejected(mistake, content.place(*path, *mistake.place))


def _rejected(mistake: MappingMistake, place: str) -> Finding:
    return Finding(
        place=place,
        message=sentence(f"The mapping engine rejects this mapping: {mistake.message}"),
        why="It fails every event that needs this part of the mapping, and every batch with such an event.",
        fix="Correct the directive that the message is about.",
    )


@check("M003", ERROR, "The action does not have a mapped field.", SUBSCRIPTION)
def unknown_field(context: SubscriptionContext) -> Iterator[Finding]:
    if context.action is None:
        return
    known = [field.key for field in context.action.fields]
    for key in context.mapping:
        if key not in known:
            yield Finding(
                place=f"{context.place}.mapping.{key}",
                message=f"The action has no field {key!r}.",
                allowed=", ".join(known),
                why=_IGNORED,
                fix=nearest(key, known) or _REMOVE,
                repair={"mapping": {key: None}},
            )


@check("M011", ERROR, "A mapping without a workspace has an unknown field.", *_ALONE)
def unknown_field_without_workspace(content: Content) -> Iterator[Finding]:
    """Compared with the action of a destination instance; a mapping alone with all actions of all generations."""
    for path, mapping, known in _mappings_in(content):
        owner = "The action has no" if path else "No action of any generation has a"
        for key in mapping:
            if key not in known and not key.startswith("@"):
                yield Finding(
                    place=content.place(*path, key),
                    message=f"{owner} field {key!r}.",
                    allowed=", ".join(known),
                    why=_IGNORED,
                    fix=nearest(key, known) or _REMOVE,
                )


@check("M004", ERROR, "A required field is not mapped.", SUBSCRIPTION)
def missing_field(context: SubscriptionContext) -> Iterator[Finding]:
    """Most often Marketing Status, which has no default."""
    for field in context.action.fields if context.action else ():
        if field.required and context.mapping.get(field.key) in (None, ""):
            yield Finding(
                place=f"{context.place}.mapping.{field.key}",
                message=f"The required field {field.key!r} ({field.label}) is not mapped.",
                allowed=_choices(field),
                why="Every event fails: The root value is missing the required field.",
                fix="Map the field.",
                repair=None if field.default is None else {"mapping": {field.key: field.default}},
                alternatives=_alternatives(field),
            )


def _alternatives(field: Field) -> tuple[Mapping[str, Any], ...] | None:
    """The repairs that set a field to one of its choices."""
    return tuple({"mapping": {field.key: each}} for each in field.choices) or None


@check("M005", ERROR, "The mapping finds no email in a kind of event.", SUBSCRIPTION)
def email_not_found(context: SubscriptionContext) -> Iterator[Finding]:
    if context.action is None or not _sends_email(context):
        return
    try:
        resolve = compile_mapping(context.mapping, now=lambda: SAMPLE_TIME)
        payloads: list[tuple[str, Any]] = [(kind, resolve(event)) for kind, event in sample_messages(context)]
    except MappingError:
        return
    for kind, payload in payloads:
        if not _has_email(payload):
            yield Finding(
                place=f"{context.place}.mapping.email",
                message=f"The mapping finds no email in {kind} events.",
                why="Engage puts the email in traits.email of identify events and in context.traits.email of track "
                "events; an event without an email is rejected.",
                fix="Fall back to $.context.traits.email, and turn on the email identifier of the connection.",
                repair=_with_email_of_track_events(context),
            )


def _with_email_of_track_events(context: SubscriptionContext) -> Mapping[str, Any] | None:
    """The email of track events, else what is mapped; None for an action without the field, or where it is mapped."""
    if context.action is None or all(field.key != "email" for field in context.action.fields):
        return None
    where = {"@path": "$.context.traits.email"}
    if str(where) in str(context.mapping.get("email")):
        return None
    otherwise = {"else": context.mapping["email"]} if context.mapping.get("email") else {}
    return {"mapping": {"email": {"@if": {"exists": where, "then": where, **otherwise}}}}


def _has_email(payload: Any) -> bool:
    members = payload if isinstance(payload, dict) else {}
    traits = members.get("traits")
    return bool(members.get("email") or (isinstance(traits, dict) and traits.get("email")))


@check("M006", WARNING, "The action sends no email.", SUBSCRIPTION)
def email_not_sent(context: SubscriptionContext) -> Iterator[Finding]:
    if context.action is not None and not _sends_email(context):
        yield Finding(
            place=f"{context.place}.mapping",
            message=f"The action {context.action.title!r} of this generation sends no email.",
            why="StackAdapt shows no profile without an email: the membership waits until another request creates one.",
            fix="Add a subscription that sends the profile with its email, or use a newer generation.",
        )


@check(
    "M007",
    WARNING,
    "Free text is sent unescaped and can break the whole batch; a note for the default mapping.",
    SUBSCRIPTION,
)
def unescaped_text(context: SubscriptionContext) -> Iterator[Finding]:
    """A note where the mapping is the published default, which the user did not write."""
    field = "standard_traits" if "standard_traits" in context.mapping else "traits"
    standard = context.mapping.get(field)
    if not isinstance(standard, dict):
        return
    unguarded = [key for key in standard if key in _FREE_TEXT and "@replace" not in str(standard[key])]
    if unguarded:
        yield Finding(
            severity=WARNING if field in context.subscription.mapping else NOTE,
            place=f"{context.place}.mapping.{field}",
            message=f"Free text is sent unescaped: {', '.join(unguarded)}.",
            why="One double quote in a value makes the whole batch a GraphQL syntax error, a backslash or line break "
            "corrupts the profiles in it, and Segment reports both as delivered.",
            fix='Remove double quotes with @replace: {"@replace": {"pattern": "\\"", "replacement": "", "value": …}}.',
        )


@check("M008", WARNING, "A custom property has the key or ID of a connected audience.", SUBSCRIPTION)
def reserved_property(context: SubscriptionContext) -> Iterator[Finding]:
    reserved = {name for _, audience in context.audiences() for name in (audience.key, audience.id)}
    for name in dict.fromkeys(_custom_names(context)):
        if name in reserved:
            yield Finding(
                place=f"{context.place}.mapping.custom_user_properties",
                message=f"The custom property {name!r} has the key or ID of a connected audience.",
                why="The destination leaves it out of the profile and of the mapping schema.",
                fix=_OWN_NAME,
            )


@check("M009", WARNING, "A custom property is declared more than once.", SUBSCRIPTION)
def repeated_property(context: SubscriptionContext) -> Iterator[Finding]:
    for name, times in Counter(_custom_names(context)).items():
        if times > 1:
            yield Finding(
                place=f"{context.place}.mapping.custom_user_properties",
                message=f"The custom property {name!r} is declared {times} times.",
                why="The first declaration sets the type, the last one the value.",
                fix=_OWN_NAME,
            )


@check("M010", ERROR, "A fixed value is not one of the field's choices.", SUBSCRIPTION)
def unknown_choice(context: SubscriptionContext) -> Iterator[Finding]:
    fields = context.action.fields if context.action else ()
    top = f"{context.place}.mapping"
    for field, place, value in _fixed_values(fields, context.mapping, top):
        if field.choices and str(value) not in field.choices:
            close = get_close_matches(str(value), field.choices, n=1)
            is_own = place == f"{top}.{field.key}"
            yield Finding(
                place=place,
                message=f"{field.label} has no choice {value!r}.",
                allowed=_choices(field),
                why="Every event fails validation.",
                fix=nearest(str(value), field.choices) or "Use one of the choices.",
                repair={"mapping": {field.key: close[0]}} if close and is_own else None,
                alternatives=_alternatives(field) if is_own and not close else None,
            )


def _mappings_in(content: Content) -> Iterator[tuple[Path, Mapping[str, Any], tuple[str, ...]]]:
    """Path and content of the mappings in a mapping or destination instance, with the fields that each may have."""
    document = content.value
    if content.kind.name == "mapping":
        yield (), document, _all_fields()
        return
    generation, subscriptions = document.get("generation", newest()), document.get("subscriptions")
    if generation not in generations() or not isinstance(subscriptions, list):
        return
    actions = load_definition(generation).actions
    for index, subscription in enumerate(subscriptions):
        if not isinstance(subscription, dict) or not isinstance(subscription.get("mapping"), dict):
            continue
        if (action := actions.get(str(subscription.get("action")))) is not None:
            known = tuple(field.key for field in action.fields)
            yield ("subscriptions", index, "mapping"), subscription["mapping"], known


@cache
def _all_fields() -> tuple[str, ...]:
    """The fields of all actions of all generations, those of the newest first."""
    definitions = map(load_definition, reversed(generations()))
    actions = (action for definition in definitions for action in definition.actions.values())
    return tuple(dict.fromkeys(field.key for action in actions for field in action.fields))


def _custom_names(context: SubscriptionContext) -> list[str]:
    declared = context.mapping.get("custom_user_properties", [])
    legacy = context.mapping.get("custom_traits", {})
    names = [item.get("name") for item in declared if isinstance(item, dict)] if isinstance(declared, list) else []
    if isinstance(legacy, dict):
        names += [key for key in legacy if not key.startswith("@")]
    return [name.strip() for name in names if isinstance(name, str)]


def _sends_email(context: SubscriptionContext) -> bool:
    keys = {field.key for field in context.action.fields} if context.action else set()
    return bool({"email", "traits"} & keys)


def _choices(field: Field) -> str | None:
    return ", ".join(field.choices) or None


def _fixed_values(
    fields: tuple[Field, ...], mapping: Mapping[str, Any], place: str
) -> Iterator[tuple[Field, str, object]]:
    """The literal strings, numbers and booleans in a mapping, each with its field and place."""
    for field in fields:
        value, at = mapping.get(field.key), f"{place}.{field.key}"
        if isinstance(value, dict) and "@literal" in value:
            value = value["@literal"]
        if isinstance(value, str | int | float) and value != "":
            yield field, at, value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _fixed_values(field.properties, item, f"{at}[{index}]")
