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

READ = "READ"
WRITE = "WRITE"

# Which of several values of an identifier are sent ("ID Sync").
LAST, FIRST, ALL = "last", "first", "all"

LATENCIES = ("instant", "realistic")


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
    """A Segment source, identified by its write key. Calls to a disabled one are dropped."""

    name: str
    write_key: str = field(repr=False)
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The Engage space of profiles and audiences."""

    id: str = "spa_local"
    name: str = "Local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """An Engage audience. `condition` keeps its JSON form; `segment.conditions` compiles it."""

    id: str
    key: str
    name: str
    condition: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An audience connected to a destination instance, with its event settings.

    Customized setup: `email` is which emails are sent, `last`, `first` or `all`; `traits` are the traits to send, each
    with its name at the destination.
    """

    audience_key: str
    send_track: bool = True
    send_identify: bool = True
    enter_event: str = "Audience Entered"
    exit_event: str = "Audience Exited"
    email: str | None = LAST
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A journey step: entered when `wait` has passed since the previous one and `condition`, if any, is true."""

    key: str
    name: str
    wait: timedelta = timedelta()
    condition: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """An Engage journey. Conditions keep their JSON form; a profile that meets `exit` leaves every step."""

    id: str
    name: str
    entry: Mapping[str, Any]
    exit: Mapping[str, Any] | None = None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepConnection:
    """A journey step connected to a destination instance, with its event settings.

    `event` None is the step's name. `events` is `all` (entering and leaving) or `entered`.
    """

    step_key: str
    event: str | None = None
    events: str = ALL
    email: str | None = LAST
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A trigger and a mapping of one action. `mapping` replaces fields of the defaults unless `defaults` is off."""

    name: str
    action: str
    trigger: str
    mapping: Mapping[str, Any]
    defaults: bool = True
    enabled: bool = True

    def mapping_over(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """The mapping laid over the action's default mapping, or alone where `defaults` is off."""
        return {**(defaults if self.defaults else {}), **self.mapping}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination instance: one configured copy of the published destination. `generation` None is the newest.

    `batch_concurrency` is the number of batches that may be sent at once. A disabled one sends nothing. `source` is the
    name of the source whose calls reach it; None is every source.
    """

    name: str
    generation: str | None
    settings: Mapping[str, str] = field(repr=False)
    subscriptions: tuple[Subscription, ...]
    connections: tuple[Connection, ...] = ()
    step_connections: tuple[StepConnection, ...] = ()
    batch_size: int = 1000
    batch_age: timedelta = timedelta()
    batch_concurrency: int = 1
    endpoint: str | None = None
    enabled: bool = True
    source: str | None = None

    def masked(self, text: str) -> str:
        """`text` without the token, for storage and output: the engine quotes a token that is not valid in a header."""
        token = self.settings["apiKey"]
        return text.replace(token, "***") if token else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """How the StackAdapt service ingests records; each field is `assumed` in the ledger.

    `latency` is `instant`, `realistic` or a duration; `record_without_email` is None for what the API version does.
    """

    latency: str = "instant"
    record_without_email: str | None = None
    shared_external_id: str = "move"
    report_rejections: str = "silent"
    mapping_race: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A whole workspace. `faults` keep their JSON form; `emulator.faults` parses them."""

    name: str = "local"
    advertisers: tuple[Advertiser, ...]
    tokens: tuple[Token, ...]
    sources: tuple[Source, ...] = ()
    space: Space = Space()
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
    """Builds a workspace from its JSON form. Raises WorkspaceError."""
    from emulator.workspace_file import check

    check(document, where=where)
    return Workspace(
        **_given(document, name="name", seed="seed", api_version="apiVersion"),
        **_given(document.get("user", {}), user_email="email"),
        advertisers=tuple(Advertiser(**item) for item in document["advertisers"]),
        tokens=tuple(_token(item, where) for item in document["tokens"]),
        sources=tuple(
            Source(name=item["name"], write_key=item["writeKey"], **_given(item, enabled="enabled"))
            for item in document.get("sources", ())
        ),
        space=Space(**document.get("space", {})),
        audiences=tuple(Audience(**item) for item in document.get("audiences", ())),
        journeys=tuple(_journey(item) for item in document.get("journeys", ())),
        destinations=tuple(_destination(item) for item in document.get("destinations", ())),
        ingestion=Ingestion(
            **_given(
                document.get("ingestion", {}),
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


def _check_latency(text: str) -> None:
    if text in LATENCIES:
        return
    if not PATTERN.fullmatch(text):
        raise InputError(
            "invalid latency",
            where="latency",
            found=text,
            allowed=f"{', '.join(LATENCIES)}, or a duration such as 4h",
            hint=nearest(text, LATENCIES),
        )
    parse_duration(text, where="latency")


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


def _timestamp(text: str, where: str) -> datetime:
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        timestamp = None
    if timestamp is None or timestamp.tzinfo is None:
        raise WorkspaceError(
            "invalid timestamp", where=where, found=text, allowed="ISO 8601 with a time zone: 2026-01-31T00:00:00Z"
        )
    return timestamp


def _destination(item: Mapping[str, Any]) -> Destination:
    batch = item.get("batch", {})
    return Destination(
        name=item["name"],
        generation=item.get("generation"),
        endpoint=item.get("endpoint"),
        settings=dict(item["settings"]),
        batch_age=parse_duration(batch.get("age", "0s"), where=f"destination {item['name']!r}: batch.age"),
        connections=tuple(_connection(connection) for connection in item.get("audiences", ())),
        step_connections=tuple(_step_connection(connection) for connection in item.get("journeySteps", ())),
        subscriptions=tuple(_subscription(subscription) for subscription in item["subscriptions"]),
        **_given(batch, batch_size="size", batch_concurrency="concurrency"),
        **_given(item, enabled="enabled", source="source"),
    )


def _subscription(item: Mapping[str, Any]) -> Subscription:
    return Subscription(
        name=item.get("name", item["action"]),
        action=item["action"],
        trigger=item["trigger"],
        mapping=item.get("mapping", {}),
        **_given(item, defaults="defaults", enabled="enabled"),
    )


def _connection(item: Mapping[str, Any]) -> Connection:
    return Connection(
        audience_key=item["key"],
        traits=_enrichment(item),
        email=_strategy(item),
        **_given(
            item,
            send_track="sendTrack",
            send_identify="sendIdentify",
            enter_event="enterEvent",
            exit_event="exitEvent",
        ),
    )


def _step_connection(item: Mapping[str, Any]) -> StepConnection:
    return StepConnection(
        step_key=item["key"],
        traits=_enrichment(item),
        email=_strategy(item),
        **_given(item, event="event", events="events"),
    )


def _enrichment(item: Mapping[str, Any]) -> dict[str, str]:
    given = item.get("traits", ())
    return dict(given) if isinstance(given, Mapping) else {name: name for name in given}


def _strategy(item: Mapping[str, Any]) -> str | None:
    given = item.get("email", True)
    return LAST if given is True else given or None


def _journey(item: Mapping[str, Any]) -> Journey:
    steps = (
        Step(
            key=step["key"],
            name=step["name"],
            wait=parse_duration(step.get("wait", "0s"), where=f"journey step {step['key']!r}: wait"),
            condition=step.get("condition"),
        )
        for step in item["steps"]
    )
    return Journey(id=item["id"], name=item["name"], entry=item["entry"], exit=item.get("exit"), steps=tuple(steps))


def _given(item: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """The fields whose key is in the document: defaults are defined once, in the data class."""
    return {field_name: item[key] for field_name, key in names.items() if key in item}
