"""The engine's results: a list of steps for one event, one status for each event of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from emulator.mapping.engine_errors import BAD_REQUEST
from emulator.mapping.subscription import NoAction, NotSubscribed, Prepared, PreparedEvent, Ready
from emulator.mapping.wire import Response, result_body

Result: TypeAlias = dict[str, Any]


def event_results(prepared: Prepared, response: Response | None) -> list[Result]:
    """The steps of a single event, without the last one if nothing was sent; none for a missing action."""
    (event,) = prepared.events
    if isinstance(event, NoAction):
        return []
    if not isinstance(event, Ready):
        return [{"output": event.message}]
    steps: list[Result] = [{"output": "Mappings resolved"}, {"output": "Payload validated"}]
    return steps if response is None else [*steps, {"data": result_body(response), "output": "Action Executed"}]


def batch_results(prepared: Prepared, response: Response | None) -> list[Result]:
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
