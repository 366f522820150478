"""What a resolver may use while one document is executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from graphql import GraphQLResolveInfo
from sqlalchemy import Connection

from emulator.faults.effect import Effect
from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import Advertisers, KnownAdvertiser
from emulator.stackadapt.ingestion.jobs import Arrival
from emulator.stackadapt.ingestion.upload_targets import UploadPlaces
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.rules.user_errors import UserError, refusal
from emulator.workspace import READ, WRITE, Token, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """One document's surroundings. `connection` is the transaction in which all of it runs.

    `uploads` says where files come from.
    `effect` is what faults want the mutations to answer or the ingestion to refuse.
    """

    connection: Connection
    workspace: Workspace
    advertisers: Advertisers
    token: Token
    limits: Limits
    arrival: Arrival
    sources: frozenset[str]
    property_types: frozenset[str]
    started_at: datetime
    uploads: UploadPlaces = field(default_factory=UploadPlaces)
    effect: Effect = field(default_factory=Effect)

    def fault_on(self, field_name: str) -> UserError | None:
        """The user error that a fault wants this root field to answer."""
        complaint = self.effect.user_error_on(field_name)
        return UserError(complaint.message, complaint.path) if complaint else None

    def readable(self, advertiser_id: str) -> KnownAdvertiser | None:
        """The advertiser, if it exists and the token may read it."""
        scopes = self.advertisers.scopes(self.token, advertiser_id)
        return self.advertisers.get(advertiser_id) if READ in scopes else None

    def writable(self, advertiser_id: str, *path: str) -> KnownAdvertiser:
        """The advertiser. Raises Refusal, with this path, if it does not exist or the token may not write there."""
        advertiser = self.advertisers.get(advertiser_id)
        if advertiser is None:
            raise refusal(messages.advertiser_unknown(advertiser_id), *path)
        if WRITE not in self.advertisers.scopes(self.token, advertiser_id):
            raise refusal(messages.write_scope_missing(advertiser_id), *path)
        return advertiser


Info = GraphQLResolveInfo[RequestContext]
