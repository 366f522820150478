"""The engine's messages for violations of a schema (the library `ajv-human-errors`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jsonschema.exceptions import ValidationError

from emulator.mapping.javascript import stringify, type_of

_FORMAT_NAMES = {"email": "email address", "date": "date"}


def sentence(error: ValidationError) -> str:
    """One violation: the field's label or path, what it must be, and what it was."""
    text = _MESSAGES[str(error.validator)](error)
    return f"{text[0].upper()}{text[1:]}."


def _subject(error: ValidationError) -> str:
    schema = error.schema
    if isinstance(schema, Mapping) and "title" in schema:
        return str(schema["title"])
    place = "/".join(str(part) for part in error.absolute_path)
    return f"the value at /{place}" if place else "the root value"


def _missing(error: ValidationError) -> str:
    return f"{_subject(error)} is missing the required field '{error.message}'"


def _wrong_type(error: ValidationError) -> str:
    wanted, found = str(error.validator_value), _kind(error.instance)
    return f"{_subject(error)} must be {_with_article(wanted)} but it was {_with_article(found)}"


def _not_a_choice(error: ValidationError) -> str:
    choices = error.validator_value if isinstance(error.validator_value, list) else []
    return f"{_subject(error)} must be one of: {_alternatives([str(stringify(choice)) for choice in choices])}"


def _wrong_format(error: ValidationError) -> str:
    return f"{_subject(error)} must be a valid {_FORMAT_NAMES[str(error.validator_value)]} string but it was not"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else type_of(value)


def _with_article(noun: str) -> str:
    if noun in ("null", "undefined"):
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _alternatives(choices: Sequence[str]) -> str:
    if len(choices) < 3:
        return " or ".join(choices)
    return f"{', '.join(choices[:-1])}, or {choices[-1]}"


_MESSAGES: Mapping[str, Callable[[ValidationError], str]] = {
    "required": _missing,
    "type": _wrong_type,
    "enum": _not_a_choice,
    "format": _wrong_format,
}
