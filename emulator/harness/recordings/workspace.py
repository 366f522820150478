"""The workspace for replaying a recording: its advertisers and tokens, as far as the responses show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.harness.recordings.exchange import Exchange, request_summary
from emulator.harness.scenarios import workspace_of
from emulator.workspace import READ, WRITE

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayWorkspace:
    """A workspace in its JSON form, and the names of its tokens by their labels in the recording."""

    workspace: Mapping[str, Any]
    token_names: Mapping[str, str]


def workspace_for(exchanges: Iterable[Exchange], *, latency: str | None) -> ReplayWorkspace:
    """The default workspace with the advertisers and tokens of a recording added.

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
    return ReplayWorkspace(workspace=workspace, token_names={label: token.name for label, token in tokens.items()})


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
