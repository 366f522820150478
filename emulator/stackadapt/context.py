"""What a resolver may use while one document is executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo
from sqlalchemy import Connection

from emulator.stackadapt import messages
from emulator.stackadapt.jobs import Arrival
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.rules.user_errors import UserError, refusal
from emulator.workspace import READ, WRITE, Advertiser, Token, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """One document's surroundings. `connection` is the transaction in which all of it runs.

    `faults` gives the user error that a mutation's root field must answer, by field name, `None` for all.
    """

    connection: Connection
    workspace: Workspace
    token: Token
    limits: Limits
    arrival: Arrival
    sources: frozenset[str]
    property_types: frozenset[str]
    started_at: datetime
    faults: Mapping[str | None, UserError] = field(default_factory=dict)

    def fault_on(self, field_name: str) -> UserError | None:
        """The user error that a fault wants this root field to answer."""
        return self.faults.get(field_name) or self.faults.get(None)

    def readable(self, advertiser_id: str) -> Advertiser | None:
        """The advertiser, if it exists and the token may read it."""
        return self.workspace.advertiser(advertiser_id) if self.token.allows(READ, advertiser_id) else None

    def writable(self, advertiser_id: str, *path: str) -> Advertiser:
        """The advertiser. Raises Refusal, with this path, if it does not exist or the token may not write there."""
        advertiser = self.workspace.advertiser(advertiser_id)
        if advertiser is None:
            raise refusal(messages.advertiser_unknown(advertiser_id), *path)
        if not self.token.allows(WRITE, advertiser_id):
            raise refusal(messages.write_scope_missing(advertiser_id), *path)
        return advertiser


Info = GraphQLResolveInfo[RequestContext]


def emulator_error(message: str, **extensions: Any) -> GraphQLError:
    """An error that the real service would not send in these words."""
    return GraphQLError(message, extensions={"emulator": True, **extensions})
