"""A Segment service on a real store and a frozen clock, with a transport that records requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from emulator.artefacts import fixture
from emulator.clock import Clock
from emulator.events import Event
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.store import Store
from emulator.transport import Response, TransportError
from emulator.workspace import parse_workspace
from emulator.workspace_file import read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCEPTED = '{"data":{"upsertProfileMapping":{"userErrors":[]},"upsertProfiles":{"userErrors":[]}}}'


def answer(status: int = 200, text: str = ACCEPTED, reason: str = "OK") -> Response:
    return Response(status=status, reason=reason, text=text)


@dataclass
class RecordingTransport:
    """Returns the given responses, then success; records every request."""

    answers: list[Response | TransportError] = field(default_factory=list)
    requests: list[tuple[Mapping[str, str], str]] = field(default_factory=list)

    def post(self, headers: Mapping[str, str], body: str) -> Response:
        self.requests.append((headers, body))
        given = self.answers.pop(0) if self.answers else answer()
        if isinstance(given, TransportError):
            raise given
        return given

    def documents(self) -> list[str]:
        return [json.loads(body)["query"] for _, body in self.requests]


@dataclass
class SegmentEnv:
    """A Segment service with its sandbox and transport."""

    segment: Segment
    sandbox: Sandbox
    transport: RecordingTransport

    def identify(self, user_id: str | None = "u1", **traits: Any) -> None:
        self.segment.ingest("identify", {"userId": user_id, "traits": traits})

    def advance(self, **duration: float) -> None:
        self.sandbox.clock.advance(timedelta(**duration))
        self.segment.process_due()

    def payloads(self) -> list[dict[str, Any]]:
        return [delivery["payload"] for delivery in self.segment.deliveries(limit=10_000)]

    def outcomes(self) -> list[str]:
        return [delivery["outcome"] for delivery in self.segment.deliveries(limit=10_000)]

    def heard(self, kind: type[Event]) -> list[Any]:
        return list(self.sandbox.journal.entries(kind))


class OpenEnv(Protocol):
    """Opens an environment with a workspace, on a new store or on the one in a file."""

    def __call__(self, document: Mapping[str, Any], *, store: Path | None = None) -> SegmentEnv: ...


class OpenWithCondition(Protocol):
    """Opens an environment whose one audience has a condition."""

    def __call__(self, condition: dict[str, Any], **more: Any) -> SegmentEnv: ...


@pytest.fixture
def document() -> dict[str, Any]:
    """The default workspace in its JSON form, for tests to change."""
    return json.loads(json.dumps(read(fixture("workspace.yaml")))) | {"seed": 1}


@pytest.fixture
def open_env() -> Iterator[OpenEnv]:
    """Opens environments and closes them after the test."""
    opened: list[Sandbox] = []

    def open_(document: Mapping[str, Any], *, store: Path | None = None) -> SegmentEnv:
        database = Store(f"sqlite:///{store}") if store else None
        sandbox = Sandbox(parse_workspace(document), store=database, clock=Clock(frozen_at=NOON))
        opened.append(sandbox)
        transport = RecordingTransport()
        return SegmentEnv(Segment(sandbox, lambda _destination: transport), sandbox, transport)

    yield open_
    for sandbox in opened:
        sandbox.close()


@pytest.fixture
def segment_env(open_env: OpenEnv, document: dict[str, Any]) -> SegmentEnv:
    """An environment with the default workspace."""
    return open_env(document)


@pytest.fixture
def open_with(open_env: OpenEnv, document: dict[str, Any]) -> OpenWithCondition:
    def open_(condition: dict[str, Any], **more: Any) -> SegmentEnv:
        document["audiences"][0]["condition"] = condition
        return open_env(document | more)

    return open_
