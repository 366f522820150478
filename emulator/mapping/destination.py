"""The destination's life cycle: an event or a batch in, one request out, results in the engine's shape.

One event: the settings are checked, each subscription's trigger is asked, its mapping resolved, the payload
checked, the document sent. A batch goes the same way together; events that fail on the way get their own entry in the
results and the rest goes out in one request. Whatever the engine would throw is raised as an EngineError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.mapping.actions.delete_profiles import check_deletion, deletion_document
from emulator.mapping.actions.token_info import advertiser_choices, check_token, token_document
from emulator.mapping.definition import Definition, load_definition
from emulator.mapping.engine_errors import AggregateAjvError, CredentialsError, EngineError, MissingActionError
from emulator.mapping.http_request import accepted, exchange, required_json
from emulator.mapping.results import Result, batch_results, event_results
from emulator.mapping.settings import Connection
from emulator.mapping.subscription import Invalid, Now, Prepared, Subscription
from emulator.mapping.wire import Reply, Send, read_body

_OK = 200


class DestinationInstance:
    """A destination as a customer has set it up. Mappings and triggers are compiled once; a broken one shows in use.

    `settings` and `subscriptions` are as Segment stores them: `{"apiKey": …, "advertiser_id": …}` and
    `{"partnerAction": …, "subscribe": …, "mapping": {…}}`. `now` is the clock that templates read.

    Raises UserMistake for an unknown generation, nothing else.
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
        self._connection = Connection(self.definition, settings)
        self.subscriptions = tuple(Subscription(stored, self._connection, now=now) for stored in subscriptions)

    def on_event(self, event: object, send: Send) -> list[Result]:
        """Takes one event through all subscriptions. A refused payload is an AggregateAjvError."""
        self._connection.check_settings()
        calls = [_Call(subscription, [event], batch=False) for subscription in self.subscriptions]
        return [result for call in _sent(calls, send) for result in event_results(call.prepared, call.reply)]

    def on_batch(self, events: Sequence[object], send: Send) -> list[Result]:
        """Takes a batch through all subscriptions. Refused events have entries of status 400 in the results."""
        self._connection.check_settings()
        calls = [_Call(subscription, events, batch=True) for subscription in self.subscriptions]
        return [result for call in _sent(calls, send) for result in batch_results(call.prepared, call.reply)]

    def on_delete(self, event: object, send: Send) -> object:
        """Deletes the event's `userId` and returns the parsed answer. Raises IntegrationError when it was refused."""
        request = self._connection.request(deletion_document(event, self._connection.settings, self.definition))
        answer = required_json(accepted(request, send))
        check_deletion(answer)
        return answer

    def test_authentication(self, send: Send) -> None:
        """Raises CredentialsError unless the token may write to some advertiser."""
        request = self._connection.request(token_document(with_id=False))
        try:
            reply = exchange(request, send)
            if reply.status != _OK:
                raise CredentialsError(f"{reply.status}{reply.reason}")
            check_token(required_json(reply))
        except CredentialsError:
            raise
        except EngineError as error:
            raise CredentialsError(error.message) from error

    def dynamic_field(self, action: str, field: str, send: Send) -> object:
        """The choices of a field that only the provider knows, or the engine's error in their place."""
        if action not in self.definition.actions:
            return []
        if not any(known.key == field and known.dynamic for known in self.definition.actions[action].fields):
            return _no_choices(f"No dynamic field named {field} found.", "404")
        request = self._connection.unchecked_request(token_document(with_id=True))
        try:
            return {"choices": advertiser_choices(read_body(accepted(request, send)))}
        except EngineError as error:
            return _no_choices(error.message, "Unknown error")


class _Call:
    """One subscription's part of a call: prepared at once, then sent."""

    def __init__(self, subscription: Subscription, events: Sequence[object], *, batch: bool) -> None:
        self.prepared = Prepared(verdicts=())
        self.reply: Reply | None = None
        self.error: EngineError | None = None
        self.afterthought: EngineError | None = None
        try:
            self.prepared = subscription.prepare(events, batch=batch)
        except MissingActionError as error:
            self.afterthought = error
            return
        except EngineError as error:
            self.error = error
            return
        refused = [verdict for verdict in self.prepared.verdicts if isinstance(verdict, Invalid)]
        if refused and not batch:
            self.error = AggregateAjvError(refused[0].message)

    def send(self, send: Send) -> None:
        if self.prepared.request is None:
            return
        try:
            self.reply = accepted(self.prepared.request, send)
        except EngineError as error:
            self.error = error


def _sent(calls: Sequence[_Call], send: Send) -> Sequence[_Call]:
    """The calls once they were sent. The engine runs them side by side and fails with the first error in time.

    What failed before sending comes first, but does not keep the others from sending. An action that does not exist
    fails only when all results are in.
    """
    early = [call.error for call in calls if call.error]
    for call in calls:
        call.send(send)
    errors = early or [call.error for call in calls if call.error]
    errors += [call.afterthought for call in calls if call.afterthought]
    if errors:
        raise errors[0]
    return calls


def _no_choices(message: str, code: str) -> dict[str, object]:
    return {"choices": [], "nextPage": "", "error": {"message": message, "code": code}}
