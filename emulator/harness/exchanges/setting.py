"""The workspace in which a recording is replayed: what the recording shows to have worked is allowed, nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.harness.exchanges.exchange import Exchange
from emulator.harness.remote import change_in
from emulator.harness.scenarios.setting import workspace_of
from emulator.workspace import READ, WRITE

_ADVERTISER: Final = re.compile(r"\badvertiserIds?\b\W{1,12}?(\d+)")
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

    A token is known that was not always answered 401. It may read advertisers that it was shown, or asked about without
    an error, write where it changed something, and do what its scopes were said to be. `latency` is the workspace's
    when None.
    """
    tokens: dict[str, _Token] = {}
    advertisers: dict[str, str] = {}
    for exchange in exchanges:
        if exchange.token is None or exchange.status == _UNAUTHORIZED:
            continue
        token = tokens.setdefault(exchange.token, _Token(exchange.token))
        for advertiser, granted in (*_used(exchange), *_shown(exchange.response)):
            token.scopes.setdefault(advertiser["id"], set()).update(granted)
            advertisers[advertiser["id"]] = advertiser.get("name") or advertisers.get(advertiser["id"], "Recorded")
        name = _token_name(exchange.response)
        if name is not None and name not in {other.name for other in tokens.values()}:
            token.name = name
    base = workspace_of({} if latency is None else {"latency": latency})
    known = {each["id"]: each for each in base["advertisers"]}
    known |= {number: {"id": number, "name": name} for number, name in advertisers.items()}
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


def _went_well(exchange: Exchange) -> bool:
    response = exchange.response
    if not isinstance(response, Mapping) or response.get("errors") or not isinstance(response.get("data"), Mapping):
        return False
    return not any(isinstance(each, Mapping) and each.get("userErrors") for each in response["data"].values())


def _used(exchange: Exchange) -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """The advertisers that a request names, with what it takes to be answered as it was."""
    if _went_well(exchange):
        scopes = {READ, WRITE} if change_in(exchange.query or "") else {READ}
        for advertiser in _ADVERTISER.findall(json.dumps(exchange.request)):
            yield {"id": advertiser}, scopes


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
