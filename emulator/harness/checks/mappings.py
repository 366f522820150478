"""Checks of a mapping: does every event come out as a record that StackAdapt can use?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.errors import nearest
from emulator.harness.checks.finding import ERROR, WARNING, Finding
from emulator.harness.subscription_context import SubscriptionContext, sample_messages
from emulator.mapping import Field, MappingError, compile_mapping

# What people type themselves, in the spelling of the old and the new generations.
_FREE_TEXT = ("first_name", "last_name", "firstName", "lastName", "address", "city")


def unknown_action(subject: SubscriptionContext) -> Iterator[Finding]:
    """M001: the generation has no such action."""
    if subject.action is None:
        known = subject.definition.actions
        yield Finding(
            code="M001",
            severity=ERROR,
            place=f"{subject.place}.action",
            message=f"Generation {subject.definition.generation} has no action {subject.subscription.action!r}.",
            why=f"It has {', '.join(known)}. {nearest(subject.subscription.action, known) or ''}".strip(),
            fix="Name an action of the generation, or choose another generation.",
        )


def broken(subject: SubscriptionContext) -> Iterator[Finding]:
    """M002: the engine refuses the mapping as a whole."""
    try:
        compile_mapping(subject.mapping)
    except MappingError as error:
        yield Finding(
            code="M002",
            severity=ERROR,
            place=f"{subject.place}.mapping",
            message=f"The engine refuses this mapping: {error.message}",
            why="A mapping that does not validate fails every event and every batch.",
            fix="Mend the directive that the message names.",
        )


def unknown_field(subject: SubscriptionContext) -> Iterator[Finding]:
    """M003: a mapped field that the action does not have."""
    if subject.action is None:
        return
    known = [field.key for field in subject.action.fields]
    for key in subject.mapping:
        if key not in known:
            yield Finding(
                code="M003",
                severity=WARNING,
                place=f"{subject.place}.mapping.{key}",
                message=f"The action has no field {key!r}.",
                why="The engine drops it without a word.",
                fix=nearest(key, known) or f"Its fields are {', '.join(known)}.",
            )


def missing_field(subject: SubscriptionContext) -> Iterator[Finding]:
    """M004: a required field without a value, Marketing Status above all: it has no default."""
    if subject.action is None:
        return
    for field in subject.action.fields:
        if field.required and subject.mapping.get(field.key) in (None, ""):
            choices = f" {_offered(field)}" if field.choices else ""
            yield Finding(
                code="M004",
                severity=ERROR,
                place=f"{subject.place}.mapping.{field.key}",
                message=f"The required field {field.key!r} ({field.label}) is not mapped.",
                why="Every event is refused: The root value is missing the required field.",
                fix=f"Map it.{choices}",
            )


def unknown_choice(subject: SubscriptionContext) -> Iterator[Finding]:
    """M010: a fixed value that is none of the field's choices."""
    fields = subject.action.fields if subject.action else ()
    for field, place, value in _fixed_values(fields, subject.mapping, f"{subject.place}.mapping"):
        if field.choices and str(value) not in field.choices:
            yield Finding(
                code="M010",
                severity=ERROR,
                place=place,
                message=f"{field.label} has no choice {value!r}.",
                why=f"Every event is refused: it must be one of {', '.join(map(repr, field.choices))}.",
                fix=f"{_offered(field)} {nearest(str(value), field.choices) or ''}".strip(),
            )


def email(subject: SubscriptionContext) -> Iterator[Finding]:
    """M005: a kind of message whose email the mapping does not find, M006: an action that sends none."""
    if subject.action is None:
        return
    if not _sends_email(subject):
        yield Finding(
            code="M006",
            severity=WARNING,
            place=f"{subject.place}.mapping",
            message=f"The action {subject.action.title!r} of this generation sends no email.",
            why="StackAdapt shows no profile without an email: the membership waits for a profile from elsewhere.",
            fix="Add a subscription that sends the profile with its email, or use a newer generation.",
        )
        return
    try:
        resolve = compile_mapping(subject.mapping)
    except MappingError:
        return
    for kind, event in sample_messages(subject):
        payload: Any = resolve(event)
        found = payload.get("email") or (payload.get("traits") or {}).get("email")
        if not found:
            yield Finding(
                code="M005",
                severity=ERROR,
                place=f"{subject.place}.mapping.email",
                message=f"The mapping finds no email in {kind} events.",
                why="Engage puts it in traits.email of identify calls and in context.traits.email of track calls; "
                "without an email the event is refused.",
                fix="Fall back to $.context.traits.email, and turn on the email identifier of the connection.",
            )


def breaking_text(subject: SubscriptionContext) -> Iterator[Finding]:
    """M007: free text goes into the document as it is."""
    standard = subject.mapping.get("standard_traits", subject.mapping.get("traits"))
    if not isinstance(standard, dict):
        return
    unguarded = [key for key in standard if key in _FREE_TEXT and "@replace" not in str(standard[key])]
    if unguarded:
        yield Finding(
            code="M007",
            severity=WARNING,
            place=f"{subject.place}.mapping.standard_traits",
            message=f"Free text is sent as it is: {', '.join(unguarded)}.",
            why="The published destination does not escape: one double quote in a value makes the whole batch a "
            "GraphQL syntax error, a backslash or line break spoils the profiles in it, and Segment reports both as "
            "delivered.",
            fix='Remove the quote with @replace: {"@replace": {"pattern": "\\"", "replacement": "", "value": …}}.',
        )


def custom_properties(subject: SubscriptionContext) -> Iterator[Finding]:
    """M008: a custom property named like an audience, M009: one declared twice."""
    names = _custom_names(subject)
    reserved = {name for _, audience in subject.audiences() for name in (audience.key, audience.id)}
    for name in dict.fromkeys(names):
        if name in reserved:
            yield _custom(
                subject,
                "M008",
                f"The custom property {name!r} has the key or id of a connected audience.",
                "The destination leaves it out of the profile and of the mapping schema.",
            )
    for name, times in Counter(names).items():
        if times > 1:
            yield _custom(
                subject,
                "M009",
                f"The custom property {name!r} is declared {times} times.",
                "The first declaration gives the type, the last one the value.",
            )


def _custom(subject: SubscriptionContext, code: str, message: str, why: str) -> Finding:
    return Finding(
        code=code,
        severity=WARNING,
        place=f"{subject.place}.mapping.custom_user_properties",
        message=message,
        why=why,
        fix="Give every custom property a name of its own.",
    )


def _custom_names(subject: SubscriptionContext) -> list[str]:
    declared = subject.mapping.get("custom_user_properties", [])
    legacy = subject.mapping.get("custom_traits", {})
    names = [item.get("name") for item in declared if isinstance(item, dict)] if isinstance(declared, list) else []
    if isinstance(legacy, dict):
        names += [key for key in legacy if not key.startswith("@")]
    return [name.strip() for name in names if isinstance(name, str)]


def _sends_email(subject: SubscriptionContext) -> bool:
    keys = {field.key for field in subject.action.fields} if subject.action else set()
    return bool({"email", "traits"} & keys)


def _offered(field: Field) -> str:
    return f"Choose {' or '.join(map(repr, field.choices))}."


def _fixed_values(
    fields: tuple[Field, ...], mapping: Mapping[str, Any], place: str
) -> Iterator[tuple[Field, str, object]]:
    """The texts, numbers and booleans that stand in a mapping themselves, each with its field and place."""
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
