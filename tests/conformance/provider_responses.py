"""Random scripted responses of the provider: successes of every shape, failures, redirects, connection resets."""

from __future__ import annotations

from random import Random
from typing import Any

from .edge_values import often

FAILURES = (400, 401, 403, 404, 408, 422, 423, 429, 500, 501, 502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)


def token_info(*advertisers: Any) -> dict[str, Any]:
    """The response of `tokenInfo` for these advertisers."""
    return {"data": {"tokenInfo": {"scopesByAdvertiser": {"nodes": list(advertisers)}}}}


def advertiser(identity: str, name: str, *scopes: str) -> dict[str, Any]:
    """One advertiser with the scopes of the token."""
    return {"advertiser": {"id": identity, "name": name}, "scopes": list(scopes)}


UPSERTED: tuple[Any, ...] = (
    {"data": {"upsertProfiles": {"userErrors": []}}},
    {"data": {"upsertProfiles": {"userErrors": [{"message": "bad input", "path": ["input", "profiles"]}]}}},
    {"errors": [{"message": "Cannot query field"}]},
    {"data": None, "errors": [{"message": "no", "extensions": {"code": 1}}]},
    {"data": {"big": 9007199254740993, "f": 1.0}},
    {},
    [],
    5,
    None,
    "plain text",
    "",
)

DELETED: tuple[Any, ...] = (
    {"data": {"deleteProfilesWithExternalIds": {"userErrors": []}}},
    {"data": {"deleteProfilesWithExternalIds": {"userErrors": [{"message": "bad"}, {"message": "worse", "path": []}]}}},
    {"data": {"deleteProfilesWithExternalIds": {}}},
    {"data": {"deleteProfilesWithExternalIds": None}},
    {"data": {}},
    {"data": None},
    {"errors": [{"message": "no"}]},
    "plain text",
    "",
)

TOKEN_INFO: tuple[Any, ...] = (
    token_info(advertiser("2", "Zed", "READ", "WRITE"), advertiser("1", "abe", "WRITE"), advertiser("3", "r", "READ")),
    token_info(advertiser("5", "Abe", "WRITE"), advertiser("1", "abe", "WRITE"), advertiser("4", "Émile", "WRITE")),
    token_info(advertiser("6", "10", "WRITE"), advertiser("7", "9", "WRITE"), advertiser("8", "a b", "WRITE")),
    token_info(advertiser("3", "reader", "READ")),
    token_info(),
    token_info({"advertiser": {"id": "1", "name": "A"}, "scopes": "WRITE"}),
    token_info({"advertiser": {"id": "1", "name": "A"}, "scopes": None}),
    {"data": {"tokenInfo": None}},
    {"data": {}},
    {"data": None, "errors": [{"message": "no"}]},
    {"errors": [{"message": "no"}]},
    "plain text",
    "",
)

BODIES = {"event": UPSERTED, "batch": UPSERTED, "delete": DELETED, "auth": TOKEN_INFO, "dynamic": TOKEN_INFO}


def responses(rng: Random, mode: str, subscribed: int) -> list[dict[str, Any]]:
    """The responses for one call, in order; the same for several subscriptions, because these run concurrently."""
    if subscribed > 1:
        return [response(200, BODIES[mode][0])] * subscribed
    kind = rng.random()
    if kind < 0.16:
        return [response(rng.choice(FAILURES), rng.choice(({"errors": [{"message": "slow"}]}, {}, "Service down", "")))]
    if kind < 0.17:
        return [{"reset": True}]
    if kind < 0.19:
        return [
            {"status": rng.choice(REDIRECTS), "headers": {"location": "/elsewhere"}, "text": ""},
            success(rng, mode),
        ]
    return [success(rng, mode)]


def success(rng: Random, mode: str) -> dict[str, Any]:
    """A response with a status of 200 to 299."""
    body = rng.choice(BODIES[mode]) if often(rng, 0.4) else BODIES[mode][0]
    return response(rng.choice((201, 202)) if often(rng, 0.05) else 200, body)


def response(status: int, body: Any) -> dict[str, Any]:
    """A scripted response: a string as text, anything else as JSON."""
    if isinstance(body, str):
        return {"status": status, "text": body, "headers": {"content-type": "text/plain"} if body else {}}
    return {"status": status, "body": body}
