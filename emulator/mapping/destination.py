"""A destination instance: an event or a batch in, one request a subscription out, results in the engine's shape.

The settings are checked, each subscription's trigger is evaluated, its mapping resolved, the payload checked, and the
document sent. Invalid events of a batch have their own entry in the results; the others share one request. What the
engine would throw is raised as an EngineError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from emulator.mapping.actions.delete_profiles import check_deletion, deletion_document
from emulator.mapping.actions.token_info import advertiser_choices, check_token, token_document
from emulator.mapping.definition import Definition, load_definition
from emulator.mapping.engine_errors import (
    BAD_REQUEST,
    AggregateAjvError,
    CredentialsError,
    EngineError,
    MissingActionError,
)
from emulator.mapping.http_request import fetch, fetch_ok, required_json
from emulator.mapping.subscription import (
    CheckedSettings,
    Invalid,
    NoAction,
    NotSubscribed,
    Now,
    Prepared,
    PreparedEvent,
    Ready,
    Subscription,
)
from emulator.mapping.wire import Response, Send, read_body, result_body

_OK = 200


class DestinationInstance:
    """A destination with its settings and subscriptions, compiled once; invalid ones fail in use.

    `settings` and `subscriptions` are as Segment stores them: `{"apiKey": …, "advertiser_id": …}` and
    `{"partnerAction": …, "subscribe": …, "mapping": {…}}`. `now` is the clock that templates read. Raises UnknownName
    for an unknown generation.
    """

    def __init__(
        self,
        generation: str | Definition,
        settings: Mapping[str, Any],
        subscriptions: Sequence[Mapping[str, Any]] = (),
        *,
        now: Now | None = None,
    ) -> None:
        self.definition = generation if isinstance(generation, Definition) else load_definition(generation)
        self._settings = CheckedSettings(self.definition, settings)
        self.subscriptions = tuple(Subscription(stored, self._settings, now=now) for stored in subscriptions)

    def on_event(self, event: object, send: Send) -> list[Result]:
        """Sends one event through all subscriptions. An invalid payload is an AggregateAjvError."""
        _ = self._settings.values  # the engine checks them before anything else
        sent = _sent(self.subscriptions, [event], send, batch=False)
        return [result for prepared, response in sent for result in _event_results(prepared, response)]

    def on_batch(self, events: Sequence[object], send: Send) -> list[Result]:
        """Sends a batch through all subscriptions. Invalid events have entries of status 400 in the results."""
        _ = self._settings.values  # the engine checks them before anything else
        sent = _sent(self.subscriptions, events, send, batch=True)
        return [result for prepared, response in sent for result in _batch_results(prepared, response)]

    def on_delete(self, event: object, send: Send) -> object:
        """Deletes the event's `userId` and returns the parsed response. Raises IntegrationError for user errors."""
        request = self._settings.request(deletion_document(event, self._settings.values, self.definition))
        body = required_json(fetch_ok(request, send))
        check_deletion(body)
        return body

    def test_authentication(self, send: Send) -> None:
        """Raises CredentialsError unless the token may write to an advertiser."""
        request = self._settings.request(token_document(with_id=False))
        try:
            response = fetch(request, send)
            if response.status != _OK:
                raise CredentialsError(f"{response.status}{response.reason}")
            check_token(required_json(response))
        except CredentialsError:
            raise
        except EngineError as error:
            raise CredentialsError(error.message) from error

    def dynamic_field(self, action: str, field: str, send: Send) -> object:
        """The choices of a dynamic field, as the provider lists them, or the engine's error in their place."""
        if action not in self.definition.actions:
            return []
        if not any(known.key == field and known.dynamic for known in self.definition.actions[action].fields):
            return _no_choices(f"No dynamic field named {field} found.", "404")
        request = self._settings.unchecked_request(token_document(with_id=True))
        try:
            return {"choices": advertiser_choices(read_body(fetch_ok(request, send)))}
        except EngineError as error:
            return _no_choices(error.message, "Unknown error")


def _sent(
    subscriptions: Sequence[Subscription], events: Sequence[object], send: Send, *, batch: bool
) -> list[tuple[Prepared, Response | None]]:
    """What each subscription prepared for the events, and the response to its request.

    The engine runs the subscriptions concurrently and fails with the earliest error. One that fails before sending
    comes first, but does not stop the others. A missing action fails last.
    """
    prepared: list[Prepared] = []
    sent: list[tuple[Prepared, Response | None]] = []
    early: list[EngineError] = []
    late: list[EngineError] = []
    failed: list[EngineError] = []
    for subscription in subscriptions:
        try:
            prepared.append(_prepared(subscription, events, batch=batch))
        except MissingActionError as error:
            late.append(error)
        except EngineError as error:
            early.append(error)
    for each in prepared:
        try:
            sent.append((each, fetch_ok(each.request, send) if each.request else None))
        except EngineError as error:
            failed.append(error)
    errors = [*early, *failed, *late]
    if errors:
        raise errors[0]
    return sent


def _prepared(subscription: Subscription, events: Sequence[object], *, batch: bool) -> Prepared:
    prepared = subscription.prepare(events, batch=batch)
    for event in prepared.events:
        if isinstance(event, Invalid) and not batch:
            raise AggregateAjvError(event.message)
    return prepared


def _no_choices(message: str, code: str) -> dict[str, object]:
    return {"choices": [], "nextPage": "", "error": {"message": message, "code": code}}


Result: TypeAlias = dict[str, Any]


def _event_results(prepared: Prepared, response: Response | None) -> list[Result]:
    """The steps of a single event, without the last one if nothing was sent; none for a missing action."""
    (event,) = prepared.events
    if isinstance(event, NoAction):
        return []
    if not isinstance(event, Ready):
        return [{"output": event.message}]
    steps: list[Result] = [{"output": "Mappings resolved"}, {"output": "Payload validated"}]
    return steps if response is None else [*steps, {"data": result_body(response), "output": "Action Executed"}]


def _batch_results(prepared: Prepared, response: Response | None) -> list[Result]:
    """A `multistatus` in input order, or one entry if no event matched the trigger."""
    missed = all(isinstance(event, NotSubscribed) for event in prepared.events)
    if missed and prepared.trigger_error is None:
        return [{"output": "not subscribed"}]
    return [{"multistatus": _statuses(prepared.events, response)}]


def _statuses(events: Sequence[PreparedEvent], response: Response | None) -> list[Result]:
    sent = {} if response is None else {"status": response.status, "body": result_body(response)}
    return [
        {**sent, "sent": event.payload} if isinstance(event, Ready) else _refused(event.message) for event in events
    ]


def _refused(message: str) -> Result:
    return {
        "status": BAD_REQUEST,
        "errortype": "PAYLOAD_VALIDATION_FAILED",
        "errormessage": message,
        "errorreporter": "INTEGRATIONS",
    }
