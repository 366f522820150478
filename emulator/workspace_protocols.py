"""What a source lets through, as frozen values: its schema controls, and the tracking plans of Protocols.

The names are those of Segment's Public API ("Update Schema Settings in Source", "Tracking Plan rule").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

ALLOW, BLOCK = "ALLOW", "BLOCK"
# The rule that every call of a source must meet.
COMMON = "COMMON"

_SHARED = {"allow_unplanned_events": "allowUnplannedEvents", "allow_event_on_violations": "allowEventOnViolations"}
_TRAITS = {
    "blocked": "blockedTraits",
    "allow_unplanned": "allowUnplannedTraits",
    "allow_invalid": "allowTraitsOnViolations",
    "common": "commonEventOnViolations",
}
# The keys of the controls by type of call and by field.
CONTROL_KEYS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "track": {
            **_SHARED,
            "blocked": "blockedEvents",
            "allow_unplanned": "allowUnplannedEventProperties",
            "allow_invalid": "allowPropertiesOnViolations",
            "common": "commonEventOnViolations",
        },
        "identify": _TRAITS,
        "group": _TRAITS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What happens to calls of one type. With the defaults, everything goes through.

    `blocked` are the events of track that are switched off in the Source Schema, or the traits of identify and group.
    `allow_unplanned` and `allow_invalid` are about single properties or traits, which are left out if not allowed.
    `common` is `ALLOW`, `BLOCK`, `OMIT_PROPERTIES` or `OMIT_TRAITS`.
    """

    blocked: tuple[str, ...] = ()
    allow_unplanned_events: bool = True
    allow_unplanned: bool = True
    allow_event_on_violations: bool = True
    allow_invalid: bool = True
    common: str = ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaControls:
    """The schema configuration of a source. `forwarded_to` is the name of the source that gets what is blocked."""

    track: Controls = Controls()
    identify: Controls = Controls()
    group: Controls = Controls()
    forwarded_to: str | None = None

    def of(self, call: str) -> Controls:
        """The controls of a type of call. Page and screen calls are events of the Source Schema, as track calls are."""
        return {"identify": self.identify, "group": self.group}.get(call, self.track)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a tracking plan: the JSON Schema of whole calls. `key` is the event of a track rule."""

    type: str
    key: str | None = None
    version: int = 1
    json_schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingPlan:
    """A tracking plan, by its name in the workspace."""

    name: str
    rules: tuple[Rule, ...]


def read_controls(item: Mapping[str, Any]) -> SchemaControls:
    """The schema configuration of a source from its JSON form."""
    return SchemaControls(
        forwarded_to=item.get("forwardingBlockedEventsTo"),
        **{call: _read(item[call], keys) for call, keys in CONTROL_KEYS.items() if call in item},
    )


def _read(item: Mapping[str, Any], keys: Mapping[str, str]) -> Controls:
    given = {name: item[key] for name, key in keys.items() if key in item}
    return Controls(**given | {"blocked": tuple(given.get("blocked", ()))})


def read_plan(item: Mapping[str, Any]) -> TrackingPlan:
    """A tracking plan from its JSON form."""
    rules = (
        Rule(type=rule["type"], key=rule.get("key"), version=rule.get("version", 1), json_schema=rule["jsonSchema"])
        for rule in item["rules"]
    )
    return TrackingPlan(name=item["name"], rules=tuple(rules))


def controls_document(controls: SchemaControls) -> dict[str, Any]:
    """The JSON form of a schema configuration, without what has its default."""
    written = {call: _written(controls.of(call), keys) for call, keys in CONTROL_KEYS.items()}
    forwarded = {} if controls.forwarded_to is None else {"forwardingBlockedEventsTo": controls.forwarded_to}
    return {**{call: of_call for call, of_call in written.items() if of_call}, **forwarded}


def _written(controls: Controls, keys: Mapping[str, str]) -> dict[str, Any]:
    changed = {each.name for each in fields(Controls) if getattr(controls, each.name) != each.default}
    document = {key: getattr(controls, name) for name, key in keys.items() if name in changed}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in document.items()}


def plan_document(plan: TrackingPlan) -> dict[str, Any]:
    """The JSON form of a tracking plan."""
    return {"name": plan.name, "rules": [_rule_document(rule) for rule in plan.rules]}


def _rule_document(rule: Rule) -> dict[str, Any]:
    key = {} if rule.key is None else {"key": rule.key}
    version = {} if rule.version == 1 else {"version": rule.version}
    return {"type": rule.type, **key, **version, "jsonSchema": dict(rule.json_schema)}
