"""Replays a recording against an endpoint and tells where the answers differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from emulator.clock import Clock
from emulator.errors import EmulatorError, InputError, UserMistake
from emulator.harness.client import ClockClient, Endpoint
from emulator.harness.recordings.differences import NOTHING, Difference, Names, differences
from emulator.harness.recordings.exchange import Exchange, body_of, read_exchanges
from emulator.harness.recordings.pseudonyms import Pseudonyms
from emulator.harness.recordings.request_summary import title_of
from emulator.harness.recordings.workspace import setting_of
from emulator.harness.scenarios import FAILED, PASSED, SKIPPED, Check, Result, Target
from emulator.harness.scenarios.format import short
from emulator.harness.scenarios.model import Cell

# The service was busy or away: the request does not decide that.
_BUSY: Final = (429, 502, 503, 504)
# More than that at once the control API refuses.
_LONGEST_STEP: Final = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An exchange as results name it."""

    path: Path
    number: int
    exchange: Exchange
    shows: tuple[str, ...] = ()
    cell: Cell | None = None

    @property
    def group(self) -> str:
        """The recording."""
        return self.path.name

    @property
    def title(self) -> str:
        """`line 3: query cdpProfiles`."""
        return f"line {self.number}: {title_of(self.exchange)}"


def replay(path: Path, target: Target, *, latency: str | None = None) -> Iterator[Result]:
    """Sends the requests of a recording, in order, and compares each answer.

    Where there is a control API the clock stands still and moves as far as it moved between two requests when they
    were recorded. Raises InputError for a file that is no recording, or holds nothing.
    """
    lines = [Line(path=path, number=number, exchange=exchange) for number, exchange in read_exchanges(path)]
    if not lines:
        raise InputError("there is no exchange in this recording", where=str(path))
    setting = setting_of((line.exchange for line in lines), latency=latency)
    with target.open(setting.workspace) as endpoint:
        replayed = _Replay(endpoint, setting.token_names)
        for line in lines:
            yield replayed.result(line)


class _Replay:
    """What is remembered from one exchange to the next."""

    def __init__(self, endpoint: Endpoint, token_names: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._token_names = token_names
        self._names = Names()
        self._at: datetime | None = None
        self._watch = Clock()
        # Answers are made safe as the recording was, so that shapes are compared with shapes.
        self._pseudonyms = Pseudonyms("")

    def result(self, line: Line) -> Result:
        """What comes of one exchange."""
        begun = self._watch.now()
        result = self._compared(line)
        return replace(result, seconds=(self._watch.now() - begun).total_seconds())

    def _compared(self, line: Line) -> Result:
        exchange = line.exchange
        if exchange.status in _BUSY:
            return Result(case=line, outcome=SKIPPED, reason=f"The service was busy: it answered {exchange.status}.")
        try:
            if self._endpoint.controlled:
                self._move_clock(exchange.at)
            answer = self._sent(exchange)
        except (EmulatorError, httpx.HTTPError) as error:
            # At somebody else's endpoint only the guard complains: what may change data there was not sent.
            held_back = isinstance(error, UserMistake) and not self._endpoint.controlled
            return Result(case=line, outcome=SKIPPED if held_back else FAILED, reason=str(error))
        checks = tuple(map(_check, self._differences(exchange, answer)))
        return Result(case=line, outcome=FAILED if checks else PASSED, checks=checks)

    def _sent(self, exchange: Exchange) -> httpx.Response:
        self._names.sent(_text(exchange.request))
        headers = {"content-type": "application/json", "accept": exchange.accept}
        if exchange.token is not None:
            headers["authorization"] = f"Bearer {self._token(exchange.token)}"
        body = _text(self._names.in_request(exchange.request)).encode("utf-8", "replace")
        return self._endpoint.client.post(self._endpoint.graphql_path, content=body, headers=headers)

    def _token(self, label: str) -> str:
        """At an emulator each label has its token, or is unknown; elsewhere there is one token for all."""
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

    def _differences(self, exchange: Exchange, answer: httpx.Response) -> Iterator[Difference]:
        if answer.status_code != exchange.status:
            yield Difference(path="status", recorded=exchange.status, found=answer.status_code)
        recorded, found = _media_type(exchange.headers), _media_type(answer.headers)
        if recorded != found:
            yield Difference(path="content-type", recorded=recorded, found=found)
        body = self._pseudonyms.in_value(body_of(answer.text))
        yield from differences(exchange.response, body, self._names)


def _check(difference: Difference) -> Check:
    place = difference.path or "body"
    return Check(expected=f"{place}: {_shown(difference.recorded)}", passed=False, found=_shown(difference.found))


def _shown(value: Any) -> str:
    return repr(value) if value is NOTHING else short(json.dumps(value, ensure_ascii=False))


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _text(request: Mapping[str, Any] | str) -> str:
    return request if isinstance(request, str) else json.dumps(request)
