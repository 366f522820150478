"""Waits in real time until a list has an item: a profile, a rejection, a delivery, a record or a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, request

from emulator.clock import stopwatch, to_iso
from emulator.durations import parse_duration
from emulator.errors import ContractViolation, InputError, UserMistake
from emulator.events import CallReceived
from emulator.patience import begin_wait
from emulator.protocol import SANDBOX_HEADER
from emulator.server.changes import Changes
from emulator.server.control.request_args import query_parameters
from emulator.server.services import CurrentServices, SandboxServices

# Each occupies a thread; the others keep serving what is waited for.
MOST_WAITS = 20
_LONGEST = timedelta(seconds=60)
# What the time does is not in the journal, and a notice of another process may be lost.
_RECHECK_SECONDS = 1.0
_WAITS: Final = "stackadapt_emulator_waits"
# The list of each kind of thing: the view that returns it, and the key of its items.
_LISTS: Mapping[str, str] = MappingProxyType(
    {
        "profile": "profiles",
        "rejection": "rejections",
        "delivery": "deliveries",
        "record": "records",
        "call": "calls",
    }
)


class WaitTimedOut(ContractViolation):
    """What was waited for did not happen in time: status 408."""


class CannotWait(UserMistake):
    """Too many requests wait already, or the emulator stops: status 503."""


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/wait")
    def wait() -> Response | tuple[Response, int] | tuple[Response, int, dict[str, str]]:
        asked = {name: value for name, value in query_parameters() if value is not None}
        kind, timeout = asked.pop("for"), read_timeout(asked.pop("timeout"), where="timeout")
        try:
            with one_of_few():
                item = _awaited(services, kind, timeout)
        except CannotWait as busy:
            return jsonify(busy.as_dict()), 503, {"Retry-After": "1"}
        if item is None:
            return jsonify(_timed_out(services(), kind, asked, timeout).as_dict()), 408
        return jsonify({kind: item})


def read_timeout(text: str, *, where: str) -> timedelta:
    """How long to wait, the value of the parameter `where`. Raises InputError."""
    timeout = parse_duration(text, where=where)
    if timeout > _LONGEST:
        raise InputError("this is too long to wait", where=where, found=text, allowed="at most 60s")
    return timeout


def wait_for_change(changes: Changes, seen: int, seconds: float) -> None:
    """Waits until something has happened after `seen` events, but not longer than it may go unnoticed.

    Raises CannotWait when the emulator stops.
    """
    if changes.ended:
        raise CannotWait("the emulator is stopping", where="wait")
    begin_wait()
    changes.wait(seen, seconds=min(seconds, _RECHECK_SECONDS))


@contextmanager
def one_of_few() -> Iterator[None]:
    """Raises CannotWait when as many requests to this emulator wait as may."""
    waits: BoundedSemaphore = current_app.extensions.setdefault(_WAITS, BoundedSemaphore(MOST_WAITS))
    if not waits.acquire(blocking=False):
        raise CannotWait(
            f"{MOST_WAITS} requests are waiting already",
            where="wait",
            hint="Ask again when one has been answered, or read the list itself.",
        )
    try:
        yield
    finally:
        waits.release()


def _awaited(services: CurrentServices, kind: str, timeout: timedelta) -> Any:
    """The first item that the list of this kind has, looked up after every event; None when the time is over.

    Raises CannotWait when the emulator stops.
    """
    elapsed, seconds = stopwatch(), timeout.total_seconds()
    while True:
        # Addressed anew each time: the sandbox may have been deleted.
        changes = services().changes
        seen = changes.number
        item = _first(kind)
        left = seconds - elapsed() / 1000.0
        if item is not None or left <= 0:
            return item
        wait_for_change(changes, seen, left)


def _first(kind: str) -> Any:
    """The first item of a list, as a request for it with the same filters and the same sandbox would return it."""
    key = _LISTS[kind]
    filters = {name: value for name, value in request.args.items() if name not in ("for", "timeout")}
    headers = [(name, request.headers[name]) for name in (SANDBOX_HEADER, "Authorization") if name in request.headers]
    query = {**filters, "limit": "1"}
    with current_app.test_request_context(f"{_folder()}/{key}", query_string=query, headers=headers):
        response: Any = current_app.view_functions[f"{request.blueprint}.{key}"]()
    return next(iter(response.get_json()[key]), None)


def _folder() -> str:
    return request.path.rpartition("/")[0]


def _timed_out(services: SandboxServices, kind: str, filters: Mapping[str, object], timeout: timedelta) -> WaitTimedOut:
    asked = " and ".join(f"{name} {value!r}" for name, value in filters.items())
    return WaitTimedOut(
        f"no {kind}{f' with {asked}' if asked else ''} within {timeout.total_seconds():g} s",
        where="wait",
        found="; ".join(_what_happened(services)),
        hint="GET /_emulator/counts has the totals, GET /_emulator/deliveries and /_emulator/rejections the reasons.",
    )


def _what_happened(services: SandboxServices) -> Iterator[str]:
    """What came in and how far it got."""
    calls = services.sandbox.journal.entries(CallReceived)
    dropped = sum(not call.accepted for call in calls)
    last = f", {dropped} of them not accepted, the last at {to_iso(calls[-1].at)}" if calls else ""
    yield f"{len(calls)} calls{last}"
    stackadapt = services.stackadapt.counts()
    yield f"deliveries: {_counted(services.segment.counts()['outcomes'])}"
    yield f"records: {_counted(stackadapt['records'])}"
    yield f"visible profiles: {stackadapt['profiles']}"


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number) or "none"
