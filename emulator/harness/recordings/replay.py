"""Replays a recording against an endpoint with its advertisers and tokens, and compares the responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from emulator.clock import Clock
from emulator.errors import EmulatorError, InputError
from emulator.harness.client import ClockClient, Endpoint
from emulator.harness.recordings.differences import MISSING, Difference, GeneratedIds, differences
from emulator.harness.recordings.exchange import Exchange, body_of, read_exchanges, request_summary, title_of
from emulator.harness.recordings.pseudonyms import Pseudonyms
from emulator.harness.scenarios import (
    FAILED,
    PASSED,
    SKIPPED,
    Case,
    Check,
    Result,
    Target,
    outcome_of,
    short,
    workspace_of,
)
from emulator.workspace import READ, WRITE

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
    workspace, token_names = workspace_for((exchange for _, exchange in exchanges), latency=latency)
    with target.open(workspace) as endpoint:
        replayed = _Replay(endpoint, token_names)
        for number, exchange in exchanges:
            title = f"line {number}: {title_of(exchange)}"
            case = Case(path=path, line=number, group=path.name, title=title)
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


_REFUSAL: Final = re.compile(
    r"advertiser|scope|permi|authori[sz]|access|forbidden|not (be )?found|not exist", re.IGNORECASE
)
_WRAPPERS: Final = ("nodes", "edges", "node")
_UNAUTHORIZED: Final = 401


@dataclass(slots=True)
class _Token:
    """A token of a recording: its name, and its scopes by advertiser id."""

    name: str
    scopes: dict[str, set[str]] = field(default_factory=dict)


def workspace_for(exchanges: Iterable[Exchange], *, latency: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The default workspace with the advertisers and tokens of a recording, and the names of the tokens by their label.

    A token is valid unless all of its responses have status 401. It has the scopes that a response lists, READ for
    advertisers that it was shown, and whatever its requests needed that met no access error.
    """
    tokens: dict[str, _Token] = {}
    advertisers: dict[str, str | None] = {}
    for exchange in exchanges:
        if exchange.token is None or exchange.status == _UNAUTHORIZED:
            continue
        token = tokens.setdefault(exchange.token, _Token(exchange.token))
        for advertiser, granted in (*_scopes_needed(exchange), *_scopes_shown(exchange.response)):
            token.scopes.setdefault(advertiser["id"], set()).update(granted)
            advertisers[advertiser["id"]] = advertiser.get("name") or advertisers.get(advertiser["id"])
        name = _token_name(exchange.response)
        if name is not None and name not in {other.name for other in tokens.values()}:
            token.name = name
    base = workspace_of({} if latency is None else {"latency": latency})
    known = {each["id"]: each for each in base["advertisers"]}
    for number, name in advertisers.items():
        given = {"id": number, "name": f"Advertiser {number}"} | known.get(number, {})
        known[number] = given if name is None else given | {"name": name}
    recorded = (
        {
            "token": f"replayed-{label}",
            "name": token.name,
            "scopes": {advertiser: sorted(scopes) for advertiser, scopes in token.scopes.items()},
        }
        for label, token in tokens.items()
    )
    workspace = {**base, "advertisers": [*known.values()], "tokens": [*base["tokens"], *recorded]}
    return workspace, {label: token.name for label, token in tokens.items()}


def _scopes_needed(exchange: Exchange) -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """The advertisers in a request, with the scopes that its response required."""
    summary = request_summary(exchange)
    if summary is not None and not any(map(_REFUSAL.search, _messages(exchange.response))):
        for advertiser in summary.advertiser_ids:
            yield {"id": advertiser}, {READ, WRITE} if summary.mutates else {READ}


def _messages(value: Any) -> Iterator[str]:
    """All error messages in a response."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "message" and isinstance(item, str):
                yield item
            yield from _messages(item)
    elif isinstance(value, list):
        for item in value:
            yield from _messages(item)


def _scopes_shown(value: Any, key: str = "") -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """The advertisers in a response, with the scopes listed with them, or READ."""
    if isinstance(value, Mapping):
        if key in ("advertiser", "advertisers") and isinstance(value.get("id"), str):
            yield value, {READ}
        if isinstance(value.get("advertiser"), Mapping) and isinstance(value.get("scopes"), list):
            listed = {scope for scope in value["scopes"] if scope in (READ, WRITE)}
            yield from ((advertiser, listed) for advertiser, _ in _scopes_shown(value["advertiser"], "advertiser"))
        for name, item in value.items():
            yield from _scopes_shown(item, key if name in _WRAPPERS else name)
    elif isinstance(value, list):
        for item in value:
            yield from _scopes_shown(item, key)


def _token_name(response: Mapping[str, Any] | str) -> str | None:
    data = response.get("data") if isinstance(response, Mapping) else None
    info = data.get("tokenInfo") if isinstance(data, Mapping) else None
    name = info.get("name") if isinstance(info, Mapping) else None
    return name if isinstance(name, str) else None
