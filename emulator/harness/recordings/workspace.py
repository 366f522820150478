"""The workspace in which a recording is replayed: who may do what, as far as the answers show it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.harness.recordings.exchange import Exchange
from emulator.harness.recordings.request_summary import asked_in
from emulator.harness.scenarios.workspace import workspace_of
from emulator.workspace import READ, WRITE

_REFUSAL: Final = re.compile(
    r"advertiser|scope|permi|authori[sz]|access|forbidden|not (be )?found|not exist", re.IGNORECASE
)
_WRAPPERS: Final = ("nodes", "edges", "node")
_UNAUTHORIZED: Final = 401


@dataclass(slots=True)
class _Token:
    """What a recording shows of a token: how it is called, and its scopes by advertiser id."""

    name: str
    scopes: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The JSON form of a workspace, and the names in it of the tokens that the recording labels."""

    workspace: Mapping[str, Any]
    token_names: Mapping[str, str]


def setting_of(exchanges: Iterable[Exchange], *, latency: str | None) -> Setting:
    """The default workspace with the advertisers and tokens of a recording besides.

    A token is known that was not always answered 401. It may read the advertisers that it was shown, do what its scopes
    were said to be, and do what it asked for where no error spoke of access. `latency` is the workspace's when None.
    """
    tokens: dict[str, _Token] = {}
    advertisers: dict[str, str | None] = {}
    for exchange in exchanges:
        if exchange.token is None or exchange.status == _UNAUTHORIZED:
            continue
        token = tokens.setdefault(exchange.token, _Token(exchange.token))
        for advertiser, granted in (*_used(exchange), *_shown(exchange.response)):
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
    return Setting(workspace=workspace, token_names={label: token.name for label, token in tokens.items()})


def _used(exchange: Exchange) -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """The advertisers that a request names, with what it takes to be answered as it was."""
    asked = asked_in(exchange)
    if asked is not None and not any(map(_REFUSAL.search, _messages(exchange.response))):
        for advertiser in asked.advertiser_ids:
            yield {"id": advertiser}, {READ, WRITE} if asked.mutates else {READ}


def _messages(value: Any) -> Iterator[str]:
    """The texts of all errors in an answer."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "message" and isinstance(item, str):
                yield item
            yield from _messages(item)
    elif isinstance(value, list):
        for item in value:
            yield from _messages(item)


def _shown(value: Any, member: str = "") -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """The advertisers in an answer, with the scopes that are told with them, else with what it takes to see them."""
    if isinstance(value, Mapping):
        if member in ("advertiser", "advertisers") and isinstance(value.get("id"), str):
            yield value, {READ}
        if isinstance(value.get("advertiser"), Mapping) and isinstance(value.get("scopes"), list):
            told = {scope for scope in value["scopes"] if scope in (READ, WRITE)}
            yield from ((advertiser, told) for advertiser, _ in _shown(value["advertiser"], "advertiser"))
        for name, item in value.items():
            yield from _shown(item, member if name in _WRAPPERS else name)
    elif isinstance(value, list):
        for item in value:
            yield from _shown(item, member)


def _token_name(response: Mapping[str, Any] | str) -> str | None:
    data = response.get("data") if isinstance(response, Mapping) else None
    info = data.get("tokenInfo") if isinstance(data, Mapping) else None
    name = info.get("name") if isinstance(info, Mapping) else None
    return name if isinstance(name, str) else None
