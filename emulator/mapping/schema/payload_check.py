"""The check of a payload against the fields of an action, or of the settings against theirs.

`jsonschema` judges; around it the payload is emptied and converted first, as the engine does, and complaints are put in
the engine's words. A payload that needs none of it passes at a glance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from emulator.mapping.definition import Field
from emulator.mapping.schema.coercion import coerced_payload
from emulator.mapping.schema.empty_values import without_empty_values
from emulator.mapping.schema.formats import FORMATS
from emulator.mapping.schema.json_schema import object_schema
from emulator.mapping.schema.messages import sentence
from emulator.mapping.schema.readiness import compile_look

# The engine keeps this one unknown member: the platform passes the secrets of an authentication in it.
SPARED = "dynamicAuthSettings"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a payload is refused: all sentences, joined by a space."""

    message: str


class PayloadCheck:
    """Fields compiled to a check. Safe to share: it keeps nothing of a payload."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.schema = object_schema(fields)
        self._validator = _Judge(self.schema, format_checker=_format_checker())
        self._ready = compile_look(self.schema, empty_text=False)
        self._ready_in_batch = compile_look(self.schema, empty_text=True)

    def payload(self, resolved: object, *, batch: bool) -> dict[str, Any] | Complaint:
        """The resolved payload as the action sees it, or why it is refused. `resolved` is left as it is."""
        if not isinstance(resolved, dict):
            return self._judged(resolved)
        if (self._ready_in_batch if batch else self._ready)(resolved):
            return resolved
        return self._converted(without_empty_values(resolved, self.schema, batch=batch))

    def settings(self, given: dict[str, Any]) -> dict[str, Any] | Complaint:
        """Settings, converted; they are not emptied before, so that null becomes empty text and passes."""
        return self._converted(given)

    def _converted(self, payload: dict[str, Any]) -> dict[str, Any] | Complaint:
        converted = self._judged(coerced_payload(payload, self.schema))
        if SPARED in payload and not isinstance(converted, Complaint):
            return {**converted, SPARED: payload[SPARED]}
        return converted

    def _judged(self, payload: Any) -> dict[str, Any] | Complaint:
        if self._ready_in_batch(payload):
            ready: dict[str, Any] = payload
            return ready
        complaints = [sentence(error) for error in self._validator.iter_errors(payload)]
        return Complaint(" ".join(complaints)) if complaints else payload


def _required(_validator: Validator, names: Sequence[str], payload: Any, _schema: Any) -> Iterator[ValidationError]:
    """As the standard keyword, with the missing name alone for a message."""
    if isinstance(payload, dict):
        yield from (ValidationError(name) for name in names if name not in payload)


_Judge = extend(Draft202012Validator, {"required": _required})  # type: ignore[no-untyped-call]  # its stub has no types


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, fits in FORMATS.items():
        checker.checks(name)(lambda value, fits=fits: not isinstance(value, str) or fits(value))
    return checker
