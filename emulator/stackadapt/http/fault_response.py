"""The answer as it leaves: whole, replaced, cut short, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from flask import Response

from emulator.faults.effect import Effect
from emulator.faults.response_channel import ResponseChannel


@dataclass(frozen=True, slots=True)
class FaultedResponse:
    """The response to give to the server, and what of it the caller gets to see: no status when nothing."""

    response: Response
    status: int | None
    body: bytes


def response_under(effect: Effect, meant: Response, line: ResponseChannel) -> FaultedResponse:
    """What becomes of the response that was meant. A broken one breaks where its body is read."""
    if effect.no_answer is not None:
        ending = effect.no_answer.ending
        return FaultedResponse(Response(_broken(b"", lambda: line.end(ending))), None, b"")
    if effect.instead is not None:
        instead = effect.instead
        meant = Response(
            instead.body, status=instead.status, content_type=instead.content_type, headers=dict(instead.headers)
        )
    body = meant.get_data()
    if effect.cut is None:
        return FaultedResponse(meant, meant.status_code, body)
    arriving = effect.cut.of(body)
    cut = Response(
        _broken(arriving, line.break_off),
        status=meant.status,
        headers={**dict(meant.headers), "Content-Length": str(len(body))},
    )
    return FaultedResponse(cut, meant.status_code, arriving)


def _broken(arriving: bytes, fail: Callable[[], NoReturn]) -> Iterator[bytes]:
    if arriving:
        yield arriving
    fail()
