"""Validation of a payload against the fields of an action, or of the settings against theirs.

As in the engine, the payload is converted first; `jsonschema` validates it, and violations have the messages of the
library `ajv-human-errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from emulator.mapping.definition import Field
from emulator.mapping.javascript.values import real_type_of, stringify
from emulator.mapping.schema.conversion import coerced_payload, without_empty_values
from emulator.mapping.schema.json_schema import FORMATS, compile_fast_check, object_schema

# The one unknown member that the engine keeps: Segment passes the secrets of an authentication in it.
KEPT_MEMBER = "dynamicAuthSettings"


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a payload is invalid: all sentences, joined by a space."""

    message: str


class PayloadCheck:
    """A compiled check of fields. It has no state, so it can be shared."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.schema = object_schema(fields)
        self._validator = _Validator(self.schema, format_checker=_format_checker())
        self._is_valid = compile_fast_check(self.schema, allow_empty=False)
        self._is_valid_in_batch = compile_fast_check(self.schema)
        self._is_valid_in_part = compile_fast_check({**self.schema, "required": ()})

    def payload(self, resolved: object, *, batch: bool) -> dict[str, Any] | Violation:
        """The payload as the action sees it, or its violations. `resolved` is not changed."""
        if not isinstance(resolved, dict):
            return self._validated(resolved)
        if (self._is_valid_in_batch if batch else self._is_valid)(resolved):
            return resolved
        if batch and self._is_valid_in_part(resolved):
            return self._missing(resolved)
        return self._converted(without_empty_values(resolved, self.schema, batch=batch))

    def settings(self, given: dict[str, Any]) -> dict[str, Any] | Violation:
        """Converted settings, or their violations. Empty values stay, so null becomes an empty string and passes."""
        return self._converted(given)

    def _converted(self, payload: dict[str, Any]) -> dict[str, Any] | Violation:
        converted = self._validated(coerced_payload(payload, self.schema))
        if KEPT_MEMBER in payload and not isinstance(converted, Violation):
            return {**converted, KEPT_MEMBER: payload[KEPT_MEMBER]}
        return converted

    def _validated(self, payload: Any) -> dict[str, Any] | Violation:
        if self._is_valid_in_batch(payload):
            valid: dict[str, Any] = payload
            return valid
        if self._is_valid_in_part(payload):
            return self._missing(payload)
        messages = [sentence(error) for error in self._validator.iter_errors(payload)]
        return Violation(" ".join(messages)) if messages else payload

    def _missing(self, payload: Mapping[str, Any]) -> Violation:
        """The violations of a payload that only lacks members, by far the most common ones: the validator is slow."""
        missing = (name for name in self.schema["required"] if name not in payload)
        return Violation(" ".join(f"{_lacks('The root value', name)}." for name in missing))


def _required(_validator: Validator, names: Sequence[str], payload: Any, _schema: Any) -> Iterator[ValidationError]:
    """The standard keyword, with the missing name as the message."""
    if isinstance(payload, dict):
        yield from (ValidationError(name) for name in names if name not in payload)


_Validator = extend(Draft202012Validator, {"required": _required})  # type: ignore[no-untyped-call]  # stub without types


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, fits in FORMATS.items():
        checker.checks(name)(lambda value, fits=fits: not isinstance(value, str) or fits(value))
    return checker


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
    return _lacks(_subject(error), error.message)


def _lacks(subject: str, name: str) -> str:
    return f"{subject} is missing the required field '{name}'"


def _wrong_type(error: ValidationError) -> str:
    wanted, found = str(error.validator_value), real_type_of(error.instance)
    return f"{_subject(error)} must be {_with_article(wanted)} but it was {_with_article(found)}"


def _not_a_choice(error: ValidationError) -> str:
    choices = error.validator_value if isinstance(error.validator_value, list) else []
    return f"{_subject(error)} must be one of: {_alternatives([str(stringify(choice)) for choice in choices])}"


def _wrong_format(error: ValidationError) -> str:
    return f"{_subject(error)} must be a valid {_FORMAT_NAMES[str(error.validator_value)]} string but it was not"


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
