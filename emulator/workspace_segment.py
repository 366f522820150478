"""The Segment side of a workspace: the space, audiences, journeys and destination instances, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulator.durations import parse_duration

# Which of several values of an identifier are sent ("ID Sync"): strategies of the customized setup, the default setup.
LAST, FIRST, ALL = "last", "first", "all"
DEFAULT_SETUP = "default"

# What a retried request contains: the events of its batch, or those of others that wait as well.
TOGETHER, REGROUP = "together", "regroup"

# How an audience is computed.
REALTIME, BATCH = "realtime", "batch"


# The values that Segment recommends to block ("Identity Resolution Onboarding").
RECOMMENDED = "recommended"
RECOMMENDED_VALUES = ("-1", "null", "anonymous", {"pattern": "^[0-]*$"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A type of identifier that is promoted: a default one of Segment, or a custom one.

    `key` is the trait or property that a custom one is found under. A value that equals one of `blocked_values`, or in
    which one of the regular expressions `blocked_patterns` is found, is not promoted.
    """

    type: str
    key: str | None = None
    blocked_values: tuple[str, ...] = ()
    blocked_patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The Engage space of profiles and audiences.

    `identifiers` are those that are promoted, highest priority first; None for Segment's defaults. `keep_all_events`
    keeps events that no condition counts, for audiences that are added later.
    """

    id: str = "spa_local"
    name: str = "Local"
    identifiers: tuple[Identifier, ...] | None = None
    keep_all_events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """An Engage audience. `condition` keeps its JSON form; `segment.conditions` compiles it.

    `computation` is `realtime` or `batch`; None is what the timing of the workspace says. Without `include_history`,
    only events that come in after it was added count; traits always do.
    """

    id: str
    key: str
    name: str
    condition: Mapping[str, Any]
    computation: str | None = None
    include_history: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An audience connected to a destination instance, with its event settings.

    `email` is which emails are sent: `DEFAULT_SETUP`, which sends all, or with email as an identifier of the customized
    setup `last`, `first` or `all`; None sends no email. `traits` are the traits to send, each with its name at the
    destination.
    """

    audience_key: str
    send_track: bool = True
    send_identify: bool = True
    enter_event: str = "Audience Entered"
    exit_event: str = "Audience Exited"
    email: str | None = DEFAULT_SETUP
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
    email: str | None = DEFAULT_SETUP
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
class FilterAction:
    """One action of a destination filter, by its name in Segment's Public API.

    `percent` and `path` belong to `SAMPLE`; `fields`, the names of members by the path of their object, to
    `DROP_PROPERTIES` and `ALLOW_PROPERTIES`.
    """

    type: str
    percent: float | None = None
    path: str | None = None
    fields: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A destination filter: what is done with the events that meet a condition in FQL."""

    title: str
    condition: str
    actions: tuple[FilterAction, ...]
    description: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination instance: one configured copy of the published destination. `generation` None is the newest.

    `batch_age` None is what the timing of the workspace says: see `Workspace.batch_age`. `batch_concurrency` is the
    number of batches that may be sent at once. A disabled one sends nothing. `source` is the name of the source that it
    is connected to; with None it gets Engage's events only, of every source. `consent` are the ids of the categories of
    consent that it is mapped to.
    """

    name: str
    generation: str | None
    settings: Mapping[str, str] = field(repr=False)
    subscriptions: tuple[Subscription, ...]
    connections: tuple[Connection, ...] = ()
    step_connections: tuple[StepConnection, ...] = ()
    batch_size: int = 1000
    batch_age: timedelta | None = None
    batch_concurrency: int = 1
    batch_retries: str = TOGETHER
    endpoint: str | None = None
    enabled: bool = True
    source: str | None = None
    filters: tuple[Filter, ...] = ()
    consent: tuple[str, ...] = ()

    def masked(self, text: str) -> str:
        """`text` without the token, for storage and output: the engine quotes a token that is not valid in a header."""
        token = self.settings["apiKey"]
        return text.replace(token, "***") if token else text


def read_audience(item: Mapping[str, Any]) -> Audience:
    """An audience from its JSON form."""
    return Audience(
        id=item["id"],
        key=item["key"],
        name=item["name"],
        condition=item["condition"],
        **given(item, computation="computation", include_history="includeHistory"),
    )


def read_space(item: Mapping[str, Any]) -> Space:
    """The space from its JSON form."""
    listed = item.get("identifiers")
    identifiers = None if listed is None else tuple(_identifier(each) for each in listed)
    return Space(identifiers=identifiers, **given(item, id="id", name="name", keep_all_events="keepAllEvents"))


def _identifier(item: Mapping[str, Any]) -> Identifier:
    blocked = item.get("blockedValues", ())
    if blocked == RECOMMENDED:
        blocked = RECOMMENDED_VALUES
    return Identifier(
        type=item["type"],
        key=item.get("key"),
        blocked_values=tuple(each for each in blocked if isinstance(each, str)),
        blocked_patterns=tuple(each["pattern"] for each in blocked if not isinstance(each, str)),
    )


def read_destination(item: Mapping[str, Any]) -> Destination:
    """A destination instance from its JSON form."""
    batch = item.get("batch", {})
    return Destination(
        name=item["name"],
        generation=item.get("generation"),
        endpoint=item.get("endpoint"),
        settings=dict(item["settings"]),
        batch_age=_age(batch, f"destination {item['name']!r}: batch.age"),
        connections=tuple(_connection(connection) for connection in item.get("audiences", ())),
        step_connections=tuple(_step_connection(connection) for connection in item.get("journeySteps", ())),
        subscriptions=tuple(_subscription(subscription) for subscription in item["subscriptions"]),
        filters=tuple(_filter(each) for each in item.get("filters", ())),
        consent=tuple(item.get("consent", {}).get("categories", ())),
        **given(batch, batch_size="size", batch_concurrency="concurrency", batch_retries="retries"),
        **given(item, enabled="enabled", source="source"),
    )


def _age(batch: Mapping[str, Any], where: str) -> timedelta | None:
    return parse_duration(batch["age"], where=where) if "age" in batch else None


def _filter(item: Mapping[str, Any]) -> Filter:
    return Filter(
        title=item["title"],
        condition=item["if"],
        actions=tuple(_filter_action(action) for action in item["actions"]),
        **given(item, description="description", enabled="enabled"),
    )


def _filter_action(item: Mapping[str, Any]) -> FilterAction:
    fields = item.get("fields")
    return FilterAction(
        **given(item, type="type", percent="percent", path="path"),
        fields=None if fields is None else {path: tuple(names) for path, names in fields.items()},
    )


def _subscription(item: Mapping[str, Any]) -> Subscription:
    return Subscription(
        name=item.get("name", item["action"]),
        action=item["action"],
        trigger=item["trigger"],
        mapping=item.get("mapping", {}),
        **given(item, defaults="defaults", enabled="enabled"),
    )


def _connection(item: Mapping[str, Any]) -> Connection:
    return Connection(
        audience_key=item["key"],
        traits=_enrichment(item),
        email=_strategy(item),
        **given(
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
        **given(item, event="event", events="events"),
    )


def _enrichment(item: Mapping[str, Any]) -> dict[str, str]:
    given = item.get("traits", ())
    return dict(given) if isinstance(given, Mapping) else {name: name for name in given}


def _strategy(item: Mapping[str, Any]) -> str | None:
    given = item.get("email", DEFAULT_SETUP)
    return LAST if given is True else given or None


def read_journey(item: Mapping[str, Any]) -> Journey:
    """A journey from its JSON form."""
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


def given(item: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """The fields whose key is in the document: defaults are defined once, in the data class."""
    return {field_name: item[key] for field_name, key in names.items() if key in item}
