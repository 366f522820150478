"""What the engine reports: a list of steps for one event, one status for each event of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from emulator.mapping.engine_errors import BAD_REQUEST
from emulator.mapping.subscription import NoAction, NotSubscribed, Prepared, Ready, Verdict
from emulator.mapping.wire import Reply, shown_body

Result: TypeAlias = dict[str, Any]


def event_results(prepared: Prepared, reply: Reply | None) -> list[Result]:
    """The steps of a single event, up to its sending when there is no reply; none when the action does not exist."""
    (verdict,) = prepared.verdicts
    if isinstance(verdict, NoAction):
        return []
    if not isinstance(verdict, Ready):
        return [{"output": verdict.message}]
    steps: list[Result] = [{"output": "Mappings resolved"}, {"output": "Payload validated"}]
    return steps if reply is None else [*steps, {"data": shown_body(reply), "output": "Action Executed"}]


def batch_results(prepared: Prepared, reply: Reply | None) -> list[Result]:
    """A `multistatus` in input order, or one line where no event matched the trigger."""
    missed = all(isinstance(verdict, NotSubscribed) for verdict in prepared.verdicts)
    if missed and prepared.trigger_error is None:
        return [{"output": "not subscribed"}]
    return [{"multistatus": _statuses(prepared.verdicts, reply)}]


def _statuses(verdicts: Sequence[Verdict], reply: Reply | None) -> list[Result]:
    answer = {} if reply is None else {"status": reply.status, "body": shown_body(reply)}
    return [
        {**answer, "sent": verdict.payload} if isinstance(verdict, Ready) else _refused(verdict.message)
        for verdict in verdicts
    ]


def _refused(message: str) -> Result:
    return {
        "status": BAD_REQUEST,
        "errortype": "PAYLOAD_VALIDATION_FAILED",
        "errormessage": message,
        "errorreporter": "INTEGRATIONS",
    }
