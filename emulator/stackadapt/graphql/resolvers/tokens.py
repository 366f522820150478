"""`tokenInfo`, `user` and `account`."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, QueryType

from emulator.clock import to_iso
from emulator.stackadapt.advertisers import ADVERTISER_LISTING, KnownAdvertiser
from emulator.stackadapt.graphql.context import Info
from emulator.stackadapt.graphql.resolvers.fields import Output, plain
from emulator.stackadapt.relay import connection

# Assumed: a token belongs to one account, whose currency is the US dollar.
_ACCOUNT = {"id": "1", "currency": "USD"}

query = QueryType()
token_info = ObjectType("TokenInfo")
BINDABLES = [
    query,
    plain("TokenInfo", "name", "createdAt", "expiresAt"),
    token_info,
    plain("User", "email"),
    plain("Account", "id", "currency"),
    plain("AdvertiserTokenScopes", "advertiser", "scopes"),
]


@query.field("tokenInfo")
def resolve_token_info(_parent: Any, info: Info) -> Output:
    token = info.context.token
    return {
        "name": token.name,
        # A workspace does not have the date of issue: the token is as old as the sandbox.
        "createdAt": to_iso(info.context.started_at),
        "expiresAt": to_iso(token.expires_at) if token.expires_at else None,
    }


@query.field("user")
def resolve_user(_parent: Any, info: Info) -> dict[str, str]:
    return {"email": info.context.workspace.user_email}


@query.field("account")
def resolve_account(_parent: Any, _info: Info) -> dict[str, str]:
    return _ACCOUNT


@token_info.field("scopesByAdvertiser")
def resolve_scopes_by_advertiser(_parent: Any, info: Info, **arguments: Any) -> Output:
    context = info.context
    known = context.advertisers
    found = [advertiser for advertiser in known.all() if known.scopes(context.token, advertiser.id)]

    def node(advertiser: KnownAdvertiser) -> Output:
        return {"advertiser": advertiser, "scopes": sorted(known.scopes(context.token, advertiser.id))}

    return connection(found, arguments, ADVERTISER_LISTING, node=node)
