"""Replays a recording against an endpoint and compares the responses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from emulator.clock import Clock
from emulator.errors import EmulatorError, InputError
from emulator.harness.client import ClockClient, Endpoint
from emulator.harness.recordings.differences import MISSING, Difference, GeneratedIds, differences
from emulator.harness.recordings.exchange import Exchange, body_of, read_exchanges, title_of
from emulator.harness.recordings.pseudonyms import Pseudonyms
from emulator.harness.recordings.workspace import workspace_for
from emulator.harness.scenarios import FAILED, PASSED, SKIPPED, Case, Check, Result, Target, outcome_of, short

# The service was overloaded or down, which does not depend on the request.
_BUSY: Final = (429, 502, 503, 504)
# The control API rejects a longer one.
_LONGEST_STEP: Final = timedelta(days=10)


def replay(path: Path, target: Target, *, latency: str | None = None) -> Iterator[Result]:
    """Sends the requests of a recording in order and compares the responses.

    With a control API the clock is frozen, and advanced by the time that passed between two requests when they were
    recorded. Raises InputError for an invalid or empty recording.
    """
    exchanges = list(read_exchanges(path))
    if not exchanges:
        raise InputError("no exchange in this recording", where=str(path))
    setup = workspace_for((exchange for _, exchange in exchanges), latency=latency)
    with target.open(setup.workspace) as endpoint:
        replayed = _Replay(endpoint, setup.token_names)
        for number, exchange in exchanges:
            case = Case(path=path, group=path.name, title=f"line {number}: {title_of(exchange)}")
            yield replayed.result(case, exchange)


class _Replay:
    """The state between exchanges: ids, clock and pseudonyms."""

    def __init__(self, endpoint: Endpoint, token_names: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._token_names = token_names
        self._ids = GeneratedIds()
        self._at: datetime | None = None
        self._watch = Clock()
        # Responses lose their personal data as the recorded ones did, so that shapes are compared.
        self._pseudonyms = Pseudonyms("")

    def result(self, case: Case, exchange: Exchange) -> Result:
        """The result of one exchange."""
        started = self._watch.now()
        result = self._compare(case, exchange)
        return replace(result, seconds=(self._watch.now() - started).total_seconds())

    def _compare(self, case: Case, exchange: Exchange) -> Result:
        if exchange.status in _BUSY:
            reason = f"The service was busy: it responded with status {exchange.status}."
            return Result(case=case, outcome=SKIPPED, reason=reason)
        try:
            if self._endpoint.controlled:
                self._move_clock(exchange.at)
            response = self._send(exchange)
        except (EmulatorError, httpx.HTTPError) as error:
            return Result(case=case, outcome=outcome_of(error, self._endpoint), reason=str(error))
        checks = tuple(map(_check, self._differences(exchange, response)))
        return Result(case=case, outcome=FAILED if checks else PASSED, checks=checks)

    def _send(self, exchange: Exchange) -> httpx.Response:
        self._ids.add_request(_text(exchange.request))
        headers = {"content-type": "application/json", "accept": exchange.accept}
        if exchange.token is not None:
            headers["authorization"] = f"Bearer {self._token(exchange.token)}"
        body = _text(self._ids.translate(exchange.request)).encode("utf-8", "replace")
        return self._endpoint.client.post(self._endpoint.graphql_path, content=body, headers=headers)

    def _token(self, label: str) -> str:
        """The token of a label; an unknown label is sent as it is. Without a control API there is one token for all."""
        if not self._endpoint.controlled:
            return self._endpoint.token
        name = self._token_names.get(label)
        return label if name is None else self._endpoint.tokens[name]

    def _move_clock(self, at: datetime) -> None:
        clock = ClockClient(self._endpoint)
        if self._at is None:
            clock.freeze()
        elif at > self._at:
            clock.advance(seconds=min(at - self._at, _LONGEST_STEP).total_seconds())
        self._at = max(at, self._at or at)

    def _differences(self, exchange: Exchange, response: httpx.Response) -> Iterator[Difference]:
        if response.status_code != exchange.status:
            yield Difference(path="status", recorded=exchange.status, found=response.status_code)
        recorded, found = _media_type(exchange.headers), _media_type(response.headers)
        if recorded != found:
            yield Difference(path="content-type", recorded=recorded, found=found)
        body = self._pseudonyms.in_value(body_of(response.text))
        yield from differences(exchange.response, body, self._ids)


def _check(difference: Difference) -> Check:
    place = difference.path or "body"
    return Check(
        expected=f"{place}: {_value_text(difference.recorded)}", passed=False, found=_value_text(difference.found)
    )


def _value_text(value: Any) -> str:
    return repr(value) if value is MISSING else short(json.dumps(value, ensure_ascii=False))


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _text(request: Mapping[str, Any] | str) -> str:
    return request if isinstance(request, str) else json.dumps(request)
