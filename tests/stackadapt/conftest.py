"""One StackAdapt sandbox behind a real Flask application, with a frozen clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from emulator.clock import Clock
from emulator.errors import EmulatorError
from emulator.sandbox import Sandbox
from emulator.stackadapt import Limits, StackAdapt
from emulator.stackadapt.http import graphql_blueprint, uploads_blueprint
from emulator.workspace import Ingestion, Token, Workspace, load_workspace

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WRITE = "sa-local-write"
READ = "sa-local-read"

AUDIENCE_COLUMNS = [
    {
        "incomingKey": "audienceId",
        "destinationKey": "external_id",
        "type": "STRING",
        "label": "External Audience ID",
        "isPii": False,
    },
    {
        "incomingKey": "audienceName",
        "destinationKey": "name",
        "type": "STRING",
        "label": "External Audience Name",
        "isPii": False,
    },
]
MAP_PROFILES = "mutation($m: ProfileMappingInput!) { upsertProfileMapping(input: $m) { userErrors { message path } } }"
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"
SYNC = """
  mutation($m: ProfileMappingInput!, $u: UpsertProfilesInput!, $e: ExternalAudienceMappingInput!) {
    upsertProfiles(input: $u) { userErrors { message path } }
    upsertProfileMapping(input: $m) { userErrors { message path } }
    upsertExternalAudienceMapping(input: $e) { userErrors { message path } }
  }
"""


def column(key: str, data_type: str = "STRING", **more: Any) -> dict[str, Any]:
    """A mapping column whose incoming and destination keys are the same."""
    return {"incomingKey": key, "destinationKey": key, "label": key.title(), "type": data_type, "isPii": False, **more}


class Service:
    """The API of one sandbox, as a client uses it."""

    def __init__(self, sandbox: Sandbox, *, api_version: str, limits: Limits, uploads: Path | None = None) -> None:
        self.sandbox = sandbox
        self.stackadapt = StackAdapt(sandbox, api_version=api_version, limits=limits, uploads=uploads)
        app = Flask("test")
        app.register_blueprint(
            graphql_blueprint(
                lambda token: self.stackadapt if sandbox.workspace.token(token) else None, lambda: self.stackadapt
            )
        )
        app.register_blueprint(uploads_blueprint(lambda name: self.stackadapt if name == sandbox.name else None))
        app.register_error_handler(EmulatorError, lambda error: (error.as_dict(), 400))
        self.http = app.test_client()

    def post(
        self,
        body: Any,
        *,
        token: str | None = WRITE,
        path: str = "/graphql",
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Posts a body, as JSON unless it is text."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.http.post(path, data=data, headers=sent)

    def run(self, document: str, *, token: str = WRITE, **variables: Any) -> Any:
        """Posts a document that must run and returns its data."""
        response = self.post({"query": document, "variables": variables}, token=token)
        assert response.status_code == 200, response.text
        assert "errors" not in response.json, response.text
        return response.json["data"]

    def map_profiles(self, *columns: Mapping[str, Any], advertiser: str = "1001", **more: Any) -> Any:
        """Sets the profile mapping of Segment's connection."""
        mapping = {"advertiserId": advertiser, "mappableType": "segment_io", "mappingSchemaV2": list(columns), **more}
        return self.run(MAP_PROFILES, m=mapping)["upsertProfileMapping"]["userErrors"]

    def upsert(
        self,
        *profiles: Any,
        advertiser: str = "1001",
        provider: str = "segment_io",
        sync_id: str | None = None,
        token: str = WRITE,
        raw: Any = None,
    ) -> Any:
        """Sends profiles as a JSON string, as the published client does; `raw` is sent unchanged."""
        given = {
            "advertiserId": advertiser,
            "externalProvider": provider,
            "profiles": json.dumps(profiles) if raw is None else raw,
            "syncId": sync_id,
        }
        return self.run(UPSERT, u=given, token=token)["upsertProfiles"]["userErrors"]

    def sync(
        self,
        *profiles: Mapping[str, Any],
        columns: Sequence[Mapping[str, Any]] = (),
        opted_in: bool | None = True,
        advertiser: str = "1001",
    ) -> None:
        """The whole document of the published client: profiles, profile mapping, audience mapping."""
        mapping = {"advertiserId": advertiser, "mappableType": "segment_io"}
        payloads = self.run(
            SYNC,
            u={"advertiserId": advertiser, "externalProvider": "segment_io", "profiles": json.dumps(profiles)},
            m={**mapping, "mappingSchemaV2": [column("email"), *columns], "isOptedIn": opted_in},
            e={**mapping, "mappingSchema": AUDIENCE_COLUMNS},
        )
        assert all(payload["userErrors"] == [] for payload in payloads.values())

    def profile(self, email: str, advertiser: str = "1001") -> dict[str, Any]:
        """The one profile with this email."""
        (found,) = self.stackadapt.profiles(advertiser, email)
        return found

    def outcomes(self) -> list[tuple[str, str | None]]:
        """Outcome and reason of every record, in arrival order."""
        return [(record["outcome"], record["reason"]) for record in self.stackadapt.records(limit=10_000)]

    def pass_time(self, **duration: float) -> None:
        """Moves the clock forward."""
        self.sandbox.clock.advance(timedelta(**duration))


Make = Callable[..., Service]


@pytest.fixture
def make_service() -> Any:
    """Builds services with `ingestion` settings, `api_version`, `limits`, extra `tokens` and a folder of `uploads`."""
    made: list[Sandbox] = []

    def make(
        *,
        api_version: str = "2026-06",
        limits: Limits | None = None,
        tokens: tuple[Token, ...] = (),
        workspace: Workspace | None = None,
        uploads: Path | None = None,
        **ingestion: Any,
    ) -> Service:
        base = workspace or load_workspace()
        base = replace(base, tokens=(*base.tokens, *tokens), ingestion=Ingestion(**ingestion), seed=7)
        sandbox = Sandbox(base, clock=Clock(frozen_at=START))
        made.append(sandbox)
        return Service(sandbox, api_version=api_version, limits=limits or Limits(), uploads=uploads)

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture
def service(make_service: Make) -> Service:
    """A service of the default workspace: instant ingestion, silent rejections."""
    return make_service()
