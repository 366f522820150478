"""The form of a segment: what its rule may name, and a rule as conditions that the form can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

# The captions of the page of 2024, and those of the page since September 2025.
_OF_2024: Final = {
    "segment_engage_audience_name": "Segment Engage Audience Name",
    "segment_engage_audience_id": "Segment Engage Audience ID",
}
_OF_2025: Final = {
    "external_audience_name": "External Audience Name",
    "external_audience_id": "External Audience ID",
}
_OF_PROFILES: Final = {"email": "Email", "marketing_status": "Marketing Status"}
CAPTIONS: Final = {**_OF_2024, **_OF_2025, **_OF_PROFILES}
# The rule of the vendor's page, which every API version takes.
FIRST_FIELD: Final = "segment_engage_audience_name"
_NEW_CAPTIONS: Final = "2026-06"

# The operators that take one value, then those that take none.
WITH_VALUE: Final = (
    "equals",
    "not_equals",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "greater_than",
    "less_than",
    "at_least",
    "at_most",
    "before",
    "after",
    "within_last",
)
WITHOUT_VALUE: Final = ("exists", "not_exists")


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields of a rule under one heading, by their captions."""

    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conditions:
    """A rule as the form shows it: conditions of which `all` or `any` must be met."""

    match: str
    tests: tuple[Mapping[str, Any], ...]


def field_groups(api_version: str, properties: Mapping[str, str]) -> Iterator[FieldGroup]:
    """The fields, those under the captions of the API version first; `properties` are labels by key."""
    old, new = FieldGroup("Segment Engage", _OF_2024), FieldGroup("Profile Properties › Segment", _OF_2025)
    yield from (new, old) if api_version == _NEW_CAPTIONS else (old, new)
    yield FieldGroup("Profile", _OF_PROFILES)
    yield FieldGroup("Profile Properties", {key: label for key, label in properties.items() if key not in CAPTIONS})


def conditions_of(rule: Any) -> Conditions | None:
    """The rule as conditions; None for one that only JSON can say."""
    if not isinstance(rule, dict):
        return None
    match = next((name for name in ("all", "any") if name in rule), None)
    tests = rule[match] if match else [rule]
    if not isinstance(tests, list) or not all(_is_plain(test) for test in tests):
        return None
    return Conditions(match or "all", tuple(tests))


def _is_plain(test: Any) -> bool:
    if not isinstance(test, dict) or test.keys() - {"field", "operator", "value"}:
        return False
    operator, value = test.get("operator"), test.get("value")
    return operator in WITHOUT_VALUE or (operator in WITH_VALUE and isinstance(value, str | int | float))


def in_words(rule: Any) -> str:
    """A rule on one line. Raises KeyError, TypeError or AttributeError for anything else."""
    if rule is None:
        return "cannot be read"
    for name, word in (("all", " and "), ("any", " or ")):
        if name in rule:
            return f"({word.join(in_words(each) for each in rule[name])})"
    if "not" in rule:
        return f"not {in_words(rule['not'])}"
    parts = (CAPTIONS.get(rule["field"], rule["field"]), rule["operator"].replace("_", " "), rule.get("value"))
    since = rule.get("since")
    suffix = f" since {since['operator'].replace('_', ' ')} {since['value']}" if since else ""
    return " ".join(str(part) for part in parts if part is not None) + suffix


def with_value(rule: Any, place: str, value: str) -> Any:
    """The rule with another value at a place such as `rule.all[1].value`."""
    changed = {"rule": deepcopy(rule)}
    inner: Any = changed
    *path, last = place.replace("[", ".").replace("]", "").split(".")
    for key in path:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    inner[last] = value
    return changed["rule"]
