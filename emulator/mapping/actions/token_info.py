"""Scopes of a token: the test of the settings, and the choice of an advertiser in the mappings of 2024."""

from __future__ import annotations

from emulator.mapping.engine_errors import CredentialsError, EngineTypeError, member, text_of
from emulator.mapping.javascript.values import UNDEFINED, collation_key

_WRITE = "WRITE"
_REFUSED = "Please verify your GQL Token or contact support"


def token_document(*, with_id: bool) -> str:
    """The query for the advertisers of a token and its scopes for each."""
    advertiser = ["id", "name"] if with_id else ["name"]
    lines = [
        *("query {", "        tokenInfo {", "          scopesByAdvertiser {", "            nodes {"),
        "              advertiser {",
        *(f"                {name}" for name in advertiser),
        *("              }", "              scopes", "            }", "          }", "        }", "      }"),
    ]
    return "\n".join(lines)


def check_token(body: object) -> None:
    """Raises CredentialsError unless the token has the scope `WRITE` for any advertiser."""
    nodes = member(body, "data")
    for name in ("tokenInfo", "scopesByAdvertiser", "nodes"):
        nodes = nodes.get(name) if isinstance(nodes, dict) else None
    if nodes is not None and not isinstance(nodes, list):
        raise EngineTypeError("(intermediate value).data?.tokenInfo?.scopesByAdvertiser?.nodes?.some is not a function")
    if not any(_may_write(node) for node in nodes or ()):
        raise CredentialsError(_REFUSED)


def advertiser_choices(body: object) -> list[dict[str, object]]:
    """The advertisers that a token may write to, sorted by name."""
    nodes = member(member(member(member(body, "data"), "tokenInfo"), "scopesByAdvertiser"), "nodes")
    if not isinstance(nodes, list):
        member(nodes, "filter")
        raise EngineTypeError("nodes.filter is not a function")
    advertisers = [member(node, "advertiser") for node in nodes if _may_write(node)]
    choices = [{"value": member(found, "id"), "label": member(found, "name")} for found in advertisers]
    choices.sort(key=lambda choice: collation_key(text_of(choice["label"])))
    return [{key: value for key, value in choice.items() if value is not UNDEFINED} for choice in choices]


def _may_write(node: object) -> bool:
    scopes = member(node, "scopes")
    if isinstance(scopes, str | list):
        return _WRITE in scopes
    member(scopes, "includes")
    raise EngineTypeError("node.scopes.includes is not a function")
