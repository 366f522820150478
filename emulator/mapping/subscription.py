"""A subscription: trigger and mapping of one action. It turns events into verdicts and at most one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from emulator.mapping.actions import ACTIONS, Document
from emulator.mapping.engine_errors import EngineTypeError, MappingFailure, MissingActionError, member
from emulator.mapping.fql import compile_trigger
from emulator.mapping.javascript.values import UNDEFINED
from emulator.mapping.mapping_error import MappingError
from emulator.mapping.resolve import compile_mapping, single_event
from emulator.mapping.schema import Complaint, PayloadCheck
from emulator.mapping.settings import Connection
from emulator.mapping.wire import OutgoingRequest

_NOT_A_TEXT = "Failed to validate subscription"
_MISSED = "not subscribed"
_MISSED_IN_BATCH = "Payload is either invalid or does not match the subscription"


@dataclass(frozen=True, slots=True)
class NotSubscribed:
    """The trigger did not let the event through."""

    message: str


@dataclass(frozen=True, slots=True)
class NoAction(NotSubscribed):
    """The trigger did, but the generation has no such action: the engine passes over a single event in silence."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The mapped payload does not fit the action's fields."""

    message: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The payload that the action sent."""

    payload: dict[str, Any]


Now: TypeAlias = Callable[[], datetime]
Verdict: TypeAlias = NotSubscribed | Invalid | Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A verdict for each event in input order, the request for those that are ready, the profiles in it.

    `trigger_error` is set where the trigger itself is broken; every verdict then says so.
    """

    verdicts: tuple[Verdict, ...]
    request: OutgoingRequest | None = None
    records: tuple[dict[str, Any], ...] = ()
    trigger_error: str | None = None


class Subscription:
    """A subscription as Segment stores it (`partnerAction`, `subscribe`, `mapping`), compiled once.

    The engine ignores its `enabled`, and so does this.
    """

    def __init__(self, stored: Mapping[str, Any], connection: Connection, *, now: Now | None = None) -> None:
        self._connection = connection
        definition = connection.definition
        slug = stored.get("partnerAction")
        self.action = definition.actions.get(slug) if isinstance(slug, str) else None
        self.trigger = compile_trigger(stored.get("subscribe"))
        self._missing_action = f"Generation {definition.generation} has no action {slug!r}."
        self._check = PayloadCheck(self.action.fields) if self.action else None
        mapping = stored.get("mapping")
        try:
            self._resolve = compile_mapping(mapping if isinstance(mapping, dict) else {}, now=now)
        except MappingError as error:
            self._resolve = _failing(error)

    def prepare(self, events: Sequence[object], *, batch: bool) -> Prepared:
        """Asks the trigger, resolves the mapping, checks the payloads and writes the document; sends nothing.

        Raises EngineError where the engine fails for the whole call: a broken mapping, wrong settings, an event that
        is no object, an unknown action in a batch.
        """
        if self.trigger.error is not None:
            return self._with_broken_trigger(self.trigger.error, events)
        try:
            matching = [self.trigger.matches(event) for event in events]
            verdicts = [
                self._verdict(event, batch=batch) if matched else NotSubscribed(_MISSED_IN_BATCH if batch else _MISSED)
                for event, matched in zip(events, matching, strict=True)
            ]
        except MappingError as error:
            raise MappingFailure(error) from error
        ready = [verdict.payload for verdict in verdicts if isinstance(verdict, Ready)]
        if not ready:
            return Prepared(verdicts=tuple(verdicts))
        for event, matched in zip(events, matching, strict=True):
            if matched:
                check_computation(event)
        document = self._document(ready)
        sent = iter(document.payloads)
        return Prepared(
            verdicts=tuple(Ready(next(sent)) if isinstance(verdict, Ready) else verdict for verdict in verdicts),
            request=self._connection.request(document.text),
            records=document.records,
        )

    def _with_broken_trigger(self, error: str, events: Sequence[object]) -> Prepared:
        message = error if error == _NOT_A_TEXT else f"Invalid subscription : {error}"
        return Prepared(verdicts=tuple(NotSubscribed(message) for _ in events), trigger_error=message)

    def _verdict(self, event: object, *, batch: bool) -> Verdict:
        if self._check is None:
            if batch:
                raise MissingActionError
            return NoAction(self._missing_action)
        resolved = self._resolve(event if batch else single_event(event))
        checked = self._check.payload(resolved, batch=batch)
        return Invalid(checked.message) if isinstance(checked, Complaint) else Ready(checked)

    def _document(self, payloads: Sequence[dict[str, Any]]) -> Document:
        definition = self._connection.definition
        assert self.action is not None  # noqa: S101 - only checked payloads get here
        build = ACTIONS[definition.advertiser_from, self.action.slug]
        return build(payloads, self._connection.settings, definition)


def check_computation(event: object) -> None:
    """Raises EngineTypeError for an event whose `context`, or `context.personas`, is null.

    The engine unpacks the audience's computation of every event that matched, also of those that it refused, as soon as
    one is ready to be sent.
    """
    context = event.get("context", UNDEFINED) if isinstance(event, dict) else UNDEFINED
    if context is None:
        raise EngineTypeError("Cannot destructure property 'personas' of '{}' as it is null.")
    if isinstance(context, dict) and "personas" in context:
        member(context["personas"], "computation_class")


def _failing(error: MappingError) -> Any:
    def fail(_event: object) -> object:
        raise error

    return fail
