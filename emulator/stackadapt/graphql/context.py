"""What a resolver may use while one document is executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import GraphQLResolveInfo
from sqlalchemy import Connection

from emulator.faults import FaultMatch
from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import Advertisers, KnownAdvertiser
from emulator.stackadapt.ingestion.jobs import Arrival, DocumentJobs
from emulator.stackadapt.ingestion.upload_targets import UploadPlaces
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.rules.providers import known_sources, source_of
from emulator.stackadapt.rules.user_errors import refusal
from emulator.workspace import READ, WRITE, Token, Workspace

# The API versions whose clients sent audience events by user id alone: an email is required since 2025-09-30.
_WAITING_API_VERSIONS = frozenset({"2024-12", "2025-05"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The surroundings of one document. `jobs` are what its mutations leave to be done.

    `uploads` is where files come from, `faults` are those that match the request. `decoded` maps `profiles` strings to
    their JSON values.
    """

    workspace: Workspace
    advertisers: Advertisers
    token: Token
    limits: Limits
    jobs: DocumentJobs
    sources: frozenset[str]
    property_types: frozenset[str]
    started_at: datetime
    uploads: UploadPlaces
    decoded: Mapping[str, Any]
    faults: FaultMatch

    @property
    def arrival(self) -> Arrival:
        """When the document arrived and its jobs are due."""
        return self.jobs.arrival

    @property
    def connection(self) -> Connection:
        """The transaction in which all of the document runs."""
        return self.jobs.connection

    @property
    def keeps_waiting_records(self) -> bool:
        """Whether a record about an audience without an email waits for a profile with its external id.

        If not, it is rejected. Without a setting, only API versions before that of 2026 keep it.
        """
        setting = self.workspace.ingestion.record_without_email
        return setting == "wait" if setting else self.workspace.api_version in _WAITING_API_VERSIONS

    def source(self, provider: str, *path: str) -> str:
        """The value of the enum `Source` that a provider means. Raises Refusal, with this path, for an unknown one."""
        found = source_of(provider, self.sources)
        if found is None:
            raise refusal(messages.PROVIDER_UNKNOWN.format(provider, known_sources(provider, self.sources)), *path)
        return found

    def readable(self, advertiser_id: str) -> KnownAdvertiser | None:
        """The advertiser, if it exists and the token may read it."""
        scopes = self.advertisers.scopes(self.token, advertiser_id)
        return self.advertisers.get(advertiser_id) if READ in scopes else None

    def writable(self, advertiser_id: str | None, *path: str) -> KnownAdvertiser:
        """The advertiser. Raises Refusal, with this path, if it is not given, unknown, or not writable by the token."""
        if advertiser_id is None:
            raise refusal(messages.ADVERTISER_REQUIRED, *path)
        advertiser = self.advertisers.get(advertiser_id)
        if advertiser is None:
            raise refusal(messages.ADVERTISER_UNKNOWN.format(advertiser_id), *path)
        if WRITE not in self.advertisers.scopes(self.token, advertiser_id):
            raise refusal(messages.WRITE_SCOPE_MISSING.format(advertiser_id), *path)
        return advertiser

    def writes_somewhere(self) -> list[KnownAdvertiser]:
        """The advertisers that the token may write to. Raises Refusal if there are none."""
        found = self.advertisers.allowed(self.token, WRITE)
        if not found:
            raise refusal(messages.NO_WRITE_SCOPE, "input")
        return found


Info = GraphQLResolveInfo[RequestContext]
