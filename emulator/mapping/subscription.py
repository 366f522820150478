"""A subscription: trigger and mapping of one action, and the settings; it turns events into at most one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from emulator.mapping.actions import BUILDERS, Document
from emulator.mapping.definition import Definition
from emulator.mapping.engine_errors import (
    AggregateAjvError,
    EngineTypeError,
    MappingError,
    MissingActionError,
    failing,
    member,
)
from emulator.mapping.fitting_payload import FittingPayload, compile_fitting_payload, never_fits
from emulator.mapping.fql import NOT_A_STRING, compile_trigger
from emulator.mapping.http_request import graphql_request
from emulator.mapping.javascript.values import UNDEFINED, to_string
from emulator.mapping.resolve import compile_mapping, single_event
from emulator.mapping.schema import PayloadCheck, Violation
from emulator.mapping.wire import OutgoingRequest

# Generating a function takes as long as resolving a hundred events.
_WORTH_GENERATING = 100
_MISSED = "not subscribed"
_MISSED_IN_BATCH = "Payload is either invalid or does not match the subscription"


@dataclass(frozen=True, slots=True)
class NotSubscribed:
    """The trigger does not match the event."""

    message: str


@dataclass(frozen=True, slots=True)
class NoAction(NotSubscribed):
    """The trigger matches, but the generation has no such action: the engine silently ignores a single event."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The mapped payload violates the action's fields."""

    message: str


@dataclass(slots=True)
class Ready:
    """The payload that the action sends. Not frozen, because a batch makes one for each event, in half the time."""

    payload: dict[str, Any]


Now: TypeAlias = Callable[[], datetime]
PreparedEvent: TypeAlias = NotSubscribed | Invalid | Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The events in input order, and the document and the request for those that are ready.

    `trigger_error` is set if the trigger cannot be parsed; every event then has it as its message.
    """

    events: tuple[PreparedEvent, ...]
    request: OutgoingRequest | None = None
    document: Document | None = None
    trigger_error: str | None = None

    @property
    def records(self) -> tuple[dict[str, Any], ...]:
        """The profiles in the request."""
        return self.document.records if self.document else ()


class CheckedSettings:
    """Settings checked once; violations are raised when the settings are used."""

    def __init__(self, definition: Definition, given: Mapping[str, Any]) -> None:
        self.definition = definition
        self._given = dict(given)
        self._checked = PayloadCheck(definition.settings).settings(self._given)

    @property
    def values(self) -> dict[str, Any]:
        """The settings as the engine sees them, all strings. Raises AggregateAjvError if they are invalid."""
        if isinstance(self._checked, Violation):
            raise AggregateAjvError(self._checked.message)
        return self._checked

    def request(self, document: str) -> OutgoingRequest:
        """The request for a document. Raises EngineTypeError for a token illegal in a header."""
        return graphql_request(self.definition.endpoint, self.values["apiKey"], document)

    def unchecked_request(self, document: str) -> OutgoingRequest:
        """The same with the unchecked token: dynamic fields are requested before the settings are complete."""
        token = to_string(self._given.get("apiKey", UNDEFINED))
        return graphql_request(self.definition.endpoint, token, document)


class Subscription:
    """A subscription as Segment stores it, compiled once. Like the engine, it ignores `enabled`."""

    def __init__(self, stored: Mapping[str, Any], settings: CheckedSettings, *, now: Now | None = None) -> None:
        self._settings = settings
        definition = settings.definition
        slug = stored.get("partnerAction")
        self.action = definition.actions.get(slug) if isinstance(slug, str) else None
        self.trigger = compile_trigger(stored.get("subscribe"))
        self._missing_action = f"Generation {definition.generation} has no action {slug!r}."
        self._check = PayloadCheck(self.action.fields) if self.action else None
        mapping = stored.get("mapping")
        self._mapping: Mapping[str, object] = mapping if isinstance(mapping, dict) else {}
        self._now = now
        try:
            self._resolve = compile_mapping(self._mapping, now=now)
        except MappingError as error:
            self._resolve = failing(error)

    def prepare(self, events: Sequence[object], *, batch: bool) -> Prepared:
        """Evaluates the trigger, resolves the mapping, checks the payloads and writes the document; sends nothing.

        Raises EngineError where the engine fails for the whole call: invalid mapping or settings, an event that is not
        an object, an unknown action in a batch.
        """
        if self.trigger.error is not None:
            error = self.trigger.error
            message = error if error == NOT_A_STRING else f"Invalid subscription : {error}"
            return Prepared(events=tuple(NotSubscribed(message) for _ in events), trigger_error=message)
        matching = [self.trigger.matches(event) for event in events]
        missed = NotSubscribed(_MISSED_IN_BATCH if batch else _MISSED)
        fitting = self._fitting_payload if batch and len(events) >= _WORTH_GENERATING else never_fits
        checked = [
            (fitting(event) or self._payload(event, batch=batch)) if matched else missed
            for event, matched in zip(events, matching, strict=True)
        ]
        ready = [payload for payload in checked if isinstance(payload, dict)]
        if not ready:
            return Prepared(events=tuple(event for event in checked if not isinstance(event, dict)))
        for event, matched in zip(events, matching, strict=True):
            if matched:
                check_computation(event)
        assert self.action is not None  # noqa: S101 - only checked payloads get here
        document = BUILDERS[self.action.builder](ready, self._settings.values, self._settings.definition)
        sent = iter(document.payloads)
        return Prepared(
            events=tuple(Ready(next(sent)) if isinstance(event, dict) else event for event in checked),
            request=self._settings.request(document.text),
            document=document,
        )

    @cached_property
    def _fitting_payload(self) -> FittingPayload:
        if self._check is None:
            return never_fits
        return compile_fitting_payload(self._mapping, self._check.schema, now=self._now)

    def _payload(self, event: object, *, batch: bool) -> dict[str, Any] | Invalid | NoAction:
        if self._check is None:
            if batch:
                raise MissingActionError
            return NoAction(self._missing_action)
        resolved = self._resolve(event if batch else single_event(event))
        checked = self._check.payload(resolved, batch=batch)
        return Invalid(checked.message) if isinstance(checked, Violation) else checked


def check_computation(event: object) -> None:
    """Raises EngineTypeError for an event whose `context` or `context.personas` is null.

    Once one payload is ready, the engine reads the computation of every matching event, including invalid ones.
    """
    context = event.get("context", UNDEFINED) if isinstance(event, dict) else UNDEFINED
    if context is None:
        raise EngineTypeError("Cannot destructure property 'personas' of '{}' as it is null.")
    if isinstance(context, dict) and "personas" in context:
        member(context["personas"], "computation_class")
