"""The workspace: the configuration of an emulator, read from YAML or JSON into frozen values.

It is validated against `contracts/workspace.schema.json`, then for references that a schema cannot check.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from emulator.durations import PATTERN, parse_duration
from emulator.errors import InputError, WorkspaceError, nearest
from emulator.rate_limit import RateLimit, parse_rate_limit
from emulator.timestamps import parse_zoned
from emulator.workspace_protocols import SchemaControls, TrackingPlan, read_controls, read_plan
from emulator.workspace_segment import (
    ALL,
    BATCH,
    DEFAULT_SETUP,
    FIRST,
    LAST,
    REALTIME,
    REGROUP,
    TOGETHER,
    Audience,
    Connection,
    Destination,
    Filter,
    FilterAction,
    Identifier,
    Journey,
    Space,
    Step,
    StepConnection,
    Subscription,
    given,
    read_audience,
    read_destination,
    read_journey,
    read_space,
)

__all__ = [
    "ALL",
    "BATCH",
    "DEFAULT_SETUP",
    "FIRST",
    "INSTANT",
    "LAST",
    "LATENCIES",
    "READ",
    "REALISTIC",
    "REALTIME",
    "REGROUP",
    "TOGETHER",
    "WRITE",
    "Advertiser",
    "Audience",
    "Connection",
    "Destination",
    "Filter",
    "FilterAction",
    "Identifier",
    "Ingestion",
    "Journey",
    "Source",
    "Space",
    "Step",
    "StepConnection",
    "Subscription",
    "Token",
    "Workspace",
    "built_in_workspace",
    "load_workspace",
    "parse_workspace",
]

READ = "READ"
WRITE = "WRITE"

INSTANT, REALISTIC = "instant", "realistic"
LATENCIES = (INSTANT, REALISTIC)

# Documented: "up to about one minute".
REALISTIC_BATCH_AGE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertiser:
    """A StackAdapt advertiser. Ids are numbers as strings, like the API's `ID`."""

    id: str
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A StackAdapt GraphQL token and its scopes by advertiser id."""

    secret: str = field(repr=False)
    name: str
    scopes: Mapping[str, frozenset[str]]
    expires_at: datetime | None = None

    def allows(self, scope: str, advertiser_id: str) -> bool:
        """Whether the token has `READ` or `WRITE` on the advertiser."""
        return scope in self.scopes.get(advertiser_id, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Segment source, identified by its write key. Calls to a disabled one are dropped.

    `tracking_plan` is the name of the plan that it is connected to.
    """

    name: str
    write_key: str = field(repr=False)
    enabled: bool = True
    schema: SchemaControls = field(default_factory=SchemaControls)
    tracking_plan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """How the StackAdapt service ingests records; each field is `assumed` in the ledger.

    `latency` is `instant`, `realistic` or a duration, None for what the timing of the workspace says;
    `record_without_email` is None for what the API version does.
    """

    latency: str | None = None
    record_without_email: str | None = None
    shared_external_id: str = "move"
    report_rejections: str = "silent"
    mapping_race: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A whole workspace. `faults` keep their JSON form; `emulator.faults` parses them.

    With the timing `realistic`, every delay that is documented takes place, unless its own setting says otherwise.
    """

    name: str = "local"
    timing: str = INSTANT
    advertisers: tuple[Advertiser, ...]
    tokens: tuple[Token, ...]
    sources: tuple[Source, ...] = ()
    tracking_plans: tuple[TrackingPlan, ...] = ()
    space: Space = field(default_factory=Space)
    audiences: tuple[Audience, ...] = ()
    journeys: tuple[Journey, ...] = ()
    destinations: tuple[Destination, ...] = ()
    ingestion: Ingestion = Ingestion()
    faults: tuple[Mapping[str, Any], ...] = ()
    rate_limit: RateLimit | None = None
    api_version: str = "2026-06"
    user_email: str = "integration@example.com"
    seed: int | None = None

    def with_options(self, *, latency: str | None = None, api_version: str | None = None) -> Workspace:
        """The workspace with options of a command line applied. Raises InputError."""
        changed = self
        if latency is not None:
            _check_latency(latency)
            changed = replace(changed, ingestion=replace(changed.ingestion, latency=latency))
        return changed if api_version is None else replace(changed, api_version=api_version)

    @property
    def latency(self) -> str:
        """The latency of ingestion: its own setting, or else the timing of the workspace."""
        return self.ingestion.latency or self.timing

    def batch_age(self, destination: Destination) -> timedelta:
        """How old a batch of a destination instance gets: its own setting, or else what the timing says."""
        if destination.batch_age is not None:
            return destination.batch_age
        return REALISTIC_BATCH_AGE if self.timing == REALISTIC else timedelta()

    def token(self, secret: str) -> Token | None:
        """The token with this secret, compared in constant time."""
        return next((token for token in self.tokens if _same(token.secret, secret)), None)

    def source(self, write_key: str) -> Source | None:
        """The source with this write key, compared in constant time."""
        return next((source for source in self.sources if _same(source.write_key, write_key)), None)

    def advertiser(self, advertiser_id: str) -> Advertiser | None:
        """The advertiser with this id."""
        return next((advertiser for advertiser in self.advertisers if advertiser.id == advertiser_id), None)

    def audience(self, key: str) -> Audience | None:
        """The audience with this key."""
        return next((audience for audience in self.audiences if audience.key == key), None)

    def step(self, key: str) -> tuple[Journey, Step] | None:
        """The journey step with this key, and its journey."""
        steps = ((journey, step) for journey in self.journeys for step in journey.steps)
        return next((found for found in steps if found[1].key == key), None)


def load_workspace(path: Path | str | None = None) -> Workspace:
    """Reads a workspace file, or the built-in default. Raises WorkspaceError."""
    from emulator.workspace_file import read

    return built_in_workspace() if path is None else parse_workspace(read(Path(path)), where=str(path))


@cache
def built_in_workspace() -> Workspace:
    """The default workspace, read once per process."""
    from emulator.artefacts import fixture

    return load_workspace(fixture("workspace.yaml"))


def parse_workspace(document: Mapping[str, Any], *, where: str = "workspace") -> Workspace:
    """Builds a workspace from its JSON form. Raises WorkspaceError, and InputError for a duration that is too long."""
    from emulator.workspace_file import check

    check(document, where=where)
    if "latency" in (ingestion := document.get("ingestion", {})):
        _check_latency(ingestion["latency"], where=f"{where}: ingestion.latency")
    return Workspace(
        **given(document, name="name", timing="timing", seed="seed", api_version="apiVersion"),
        **given(document.get("user", {}), user_email="email"),
        advertisers=tuple(Advertiser(**item) for item in document["advertisers"]),
        tokens=tuple(_token(item, where) for item in document["tokens"]),
        sources=tuple(_source(item) for item in document.get("sources", ())),
        tracking_plans=tuple(read_plan(item) for item in document.get("trackingPlans", ())),
        space=read_space(document.get("space", {})),
        audiences=tuple(read_audience(item) for item in document.get("audiences", ())),
        journeys=tuple(read_journey(item) for item in document.get("journeys", ())),
        destinations=tuple(read_destination(item) for item in document.get("destinations", ())),
        ingestion=Ingestion(
            **given(
                ingestion,
                latency="latency",
                record_without_email="recordWithoutEmail",
                shared_external_id="sharedExternalId",
                report_rejections="reportRejections",
                mapping_race="mappingRace",
            )
        ),
        faults=tuple(document.get("faults", ())),
        rate_limit=parse_rate_limit(document["rateLimit"]) if "rateLimit" in document else None,
    )


def _check_latency(text: str, *, where: str = "latency") -> None:
    if text in LATENCIES:
        return
    if not PATTERN.fullmatch(text):
        raise InputError(
            "invalid latency",
            where=where,
            found=text,
            allowed=f"{', '.join(LATENCIES)}, or a duration such as 4h",
            hint=nearest(text, LATENCIES),
        )
    parse_duration(text, where=where)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogatepass"))


def _token(item: Mapping[str, Any], where: str) -> Token:
    expires = item.get("expiresAt")
    return Token(
        secret=item["token"],
        name=item["name"],
        scopes={advertiser: frozenset(scopes) for advertiser, scopes in item["scopes"].items()},
        expires_at=_timestamp(expires, f"{where}: token {item['name']!r}: expiresAt") if expires else None,
    )


def _source(item: Mapping[str, Any]) -> Source:
    return Source(
        name=item["name"],
        write_key=item["writeKey"],
        schema=read_controls(item.get("schema", {})),
        **given(item, enabled="enabled", tracking_plan="trackingPlan"),
    )


def _timestamp(text: str, where: str) -> datetime:
    timestamp = parse_zoned(text)
    if timestamp is None:
        raise WorkspaceError(
            "invalid timestamp", where=where, found=text, allowed="ISO 8601 with a time zone: 2026-01-31T00:00:00Z"
        )
    return timestamp
