"""A tracking plan of Protocols, compiled: which rule a call belongs to, and what in the call violates it.

"The Protocols Tracking Plan" in Segment's documentation: a rule is a JSON Schema of the whole call. Page and screen
calls count as the events `Page Viewed` and `Screen Viewed`. Violations are worded as Segment's validator words them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from emulator.rule_schemas import compiled
from emulator.segment.tracking.calls import Call
from emulator.timestamps import iso_of_millis, to_millis
from emulator.workspace_protocols import COMMON, Rule, TrackingPlan

VIEWS = MappingProxyType({"page": "Page Viewed", "screen": "Screen Viewed"})
_ROOT = "(root)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What violates a rule: `path` leads to it in the call, and is empty for the call as a whole."""

    type: str
    path: tuple[str | int, ...]
    description: str

    @property
    def field(self) -> str:
        """The path as Segment prints it."""
        return ".".join(map(str, self.path)) or _ROOT

    @property
    def text(self) -> str:
        """The field and the description, as a clause."""
        return self.description if self.field in self.description else f"{self.field}: {self.description}"

    def as_dict(self) -> dict[str, str]:
        """As `context.protocols.violations` of the call lists it."""
        return {"type": self.type, "field": self.field, "description": self.description}


class CompiledRule:
    """A rule of a plan. `name` says which in words."""

    def __init__(self, rule: Rule) -> None:
        self.name = f"{rule.type} {rule.key!r}" if rule.key else rule.type
        self.version = rule.version
        self._schema = rule.json_schema
        self._validator = compiled(rule.json_schema)

    def violations(self, message: Mapping[str, Any]) -> list[Violation]:
        """What in a call violates the rule, in the order of the rule's keywords."""
        return [violation for error in self._validator.iter_errors(message) for violation in _violations(error)]

    def unplanned(self, holder: str, given: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """The paths of the properties or traits, `given`, that the rule does not name."""
        yield from _unplanned(given, _properties(_properties(self._schema).get(holder)), ())


class CompiledPlan:
    """The rules of a plan by what they are about."""

    def __init__(self, plan: TrackingPlan) -> None:
        self.name = plan.name
        self._rules: dict[tuple[str, str | None], list[CompiledRule]] = {}
        for rule in sorted(plan.rules, key=lambda rule: rule.version):
            key = rule.key if rule.type in ("TRACK", "PAGE", "SCREEN") else None
            self._rules.setdefault((rule.type, key or None), []).append(CompiledRule(rule))
        self.common = next(iter(self._rules.get((COMMON, None), ())), None)

    def rule_for(self, call: Call) -> CompiledRule | None:
        """The rule of a call, of the version that the call names, or else the oldest; None if the plan has none."""
        kind = call.type.upper()
        if call.type == "track":
            keys = [(kind, call.message["event"])]
        elif call.type in VIEWS:
            keys = [(kind, call.message.get("name")), (kind, None), ("TRACK", VIEWS[call.type])]
        else:
            keys = [(kind, None)]
        versions = next((self._rules[key] for key in keys if key in self._rules), None)
        if versions is None:
            return None
        wanted = _wanted_version(call.message)
        return next((rule for rule in versions if rule.version == wanted), versions[0])


def whole(call: Call) -> dict[str, Any]:
    """A call as the validator gets it, with what Segment adds; libraries send null for an id that they do not have."""
    given = {key: value for key, value in call.message.items() if key not in ("userId", "anonymousId") or value}
    return given | {
        "type": call.type,
        "messageId": call.message_id,
        "originalTimestamp": iso_of_millis(to_millis(call.original_timestamp)),
        "receivedAt": iso_of_millis(to_millis(call.received_at)),
        "timestamp": iso_of_millis(to_millis(call.timestamp)),
    }


def _wanted_version(message: Mapping[str, Any]) -> int | None:
    context = message.get("context")
    protocols = context.get("protocols") if isinstance(context, dict) else None
    version = protocols.get("event_version") if isinstance(protocols, dict) else None
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _properties(schema: object) -> Mapping[str, Any]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _unplanned(
    given: Mapping[str, Any], planned: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for name, value in given.items():
        if name not in planned:
            yield (*path, name)
        elif isinstance(value, dict) and (inner := _properties(planned[name])):
            yield from _unplanned(value, inner, (*path, name))


def _violations(error: Any) -> Iterator[Violation]:
    path, keyword, expected = tuple(error.absolute_path), error.validator, error.validator_value
    if keyword == "required":
        for name in (name for name in expected if name not in error.instance):
            missing = (*path, name)
            yield Violation(type="Required", path=missing, description=f"{'.'.join(map(str, missing))} is required")
    elif keyword == "additionalProperties" and expected is False:
        known = error.schema.get("properties", {})
        for name in (name for name in error.instance if name not in known):
            description = f"Additional property {name} is not allowed"
            yield Violation(type="Additional Property Not Allowed", path=(*path, name), description=description)
    else:
        kind, describe = _WORDS.get(keyword, (keyword, _otherwise))
        shown = ".".join(map(str, path)) or _ROOT
        yield Violation(type=kind, path=path, description=describe(shown, expected, error))


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def _type(field: str, expected: Any, error: Any) -> str:
    wanted = expected if isinstance(expected, str) else ", ".join(expected)
    return f"Invalid type. Expected: {wanted}, given: {_TYPES.get(type(error.instance), 'null')}"


def _enum(field: str, expected: Any, error: Any) -> str:
    return f"{field} must be one of the following: {', '.join(map(repr, expected))}"


def _limit(text: str) -> Callable[[str, Any, Any], str]:
    return lambda field, expected, error: f"{text} {expected}"


def _otherwise(field: str, expected: Any, error: Any) -> str:
    return f"Does not meet {error.validator}"


# The kind of violation by keyword, and what describes it; values of the call are left out of it.
_WORDS: Mapping[str, tuple[str, Callable[[str, Any, Any], str]]] = {
    "type": ("Invalid Type", _type),
    "enum": ("Enum", _enum),
    "pattern": ("Does Not Match Pattern", _limit("Does not match pattern")),
    "format": ("Does Not Match Format", _limit("Does not match format")),
    "minimum": ("Number Greater Than Or Equal", _limit("Must be greater than or equal to")),
    "maximum": ("Number Less Than Or Equal", _limit("Must be less than or equal to")),
    "minLength": ("String Length Greater Than Or Equal", _limit("String length must be greater than or equal to")),
    "not": ("Not", lambda *_: "Must not validate the schema (not)"),
    "anyOf": ("Any Of", lambda *_: "Must validate at least one schema (anyOf)"),
    "oneOf": ("One Of", lambda *_: "Must validate one and only one schema (oneOf)"),
    "maxLength": ("String Length Less Than Or Equal", _limit("String length must be less than or equal to")),
}
