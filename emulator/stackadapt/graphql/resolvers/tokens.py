"""`tokenInfo`, `user` and `account`."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, QueryType

from emulator.clock import to_iso
from emulator.stackadapt.advertisers import ADVERTISER_LISTING, KnownAdvertiser
from emulator.stackadapt.graphql.context import Info
from emulator.stackadapt.graphql.resolvers.advertisers import advertiser_node
from emulator.stackadapt.graphql.resolvers.fields import connection_types, plain
from emulator.stackadapt.relay import connection

# Assumed: a token belongs to one account, whose currency is the US dollar.
_ACCOUNT = {"id": "1", "currency": "USD"}

query = QueryType()
token_info = ObjectType("TokenInfo")
BINDABLES = [
    query,
    token_info,
    plain("User", "email"),
    plain("Account", "id", "currency"),
    plain("AdvertiserTokenScopes", "advertiser", "scopes"),
    *connection_types("AdvertiserTokenScopes"),
]


@query.field("tokenInfo")
def resolve_token_info(_parent: Any, info: Info) -> Any:
    return info.context.token


@query.field("user")
def resolve_user(_parent: Any, info: Info) -> dict[str, str]:
    return {"email": info.context.workspace.user_email}


@query.field("account")
def resolve_account(_parent: Any, _info: Info) -> dict[str, str]:
    return _ACCOUNT


@token_info.field("name")
def resolve_name(_parent: Any, info: Info) -> str:
    return info.context.token.name


@token_info.field("createdAt")
def resolve_created_at(_parent: Any, info: Info) -> str:
    # A workspace does not have the date of issue: the token is as old as the sandbox.
    return to_iso(info.context.started_at)


@token_info.field("expiresAt")
def resolve_expires_at(_parent: Any, info: Info) -> str | None:
    expires_at = info.context.token.expires_at
    return to_iso(expires_at) if expires_at else None


@token_info.field("scopesByAdvertiser")
def resolve_scopes_by_advertiser(_parent: Any, info: Info, **arguments: Any) -> dict[str, Any]:
    context = info.context
    known = context.advertisers
    found = [advertiser for advertiser in known.all() if known.scopes(context.token, advertiser.id)]

    def node(advertiser: KnownAdvertiser) -> dict[str, Any]:
        scopes = known.scopes(context.token, advertiser.id)
        return {"advertiser": advertiser_node(advertiser), "scopes": sorted(scopes)}

    return connection(found, arguments, ADVERTISER_LISTING, node=node)
