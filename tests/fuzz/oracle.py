"""Which profiles a segment has, computed from `GET /_emulator/profiles` alone, without the product's code.

It knows the operators and fields that `values.rule` uses, with the meaning that `segment_rules.py` documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.fuzz.values import TYPES

Profile = Mapping[str, Any]


def members(rule: Mapping[str, Any], profiles: Iterable[Profile]) -> list[str]:
    """The emails of the profiles that pass, in the order of their code points."""
    return sorted(profile["email"] for profile in profiles if passes(rule, profile))


def passes(rule: Mapping[str, Any], profile: Profile) -> bool:
    if "all" in rule:
        return all(passes(inner, profile) for inner in rule["all"])
    if "any" in rule:
        return any(passes(inner, profile) for inner in rule["any"])
    if "not" in rule:
        return not passes(rule["not"], profile)
    operator = rule["operator"]
    if operator.startswith("not_"):
        return not passes({**rule, "operator": operator.removeprefix("not_")}, profile)
    found = _values(rule["field"], profile)
    if operator == "exists":
        return found is not None and found != []
    wanted = _wanted(rule["field"], rule["value"])
    return any(_compare(operator, each, wanted) for each in _of_type(rule["field"], found))


def _values(field: str, profile: Profile) -> Any:
    """What a profile has in a field: a list for audiences and STRING_LIST properties, None when it has nothing."""
    if field == "segment_engage_audience_id":
        return [audience["id"] for audience in profile["audiences"]]
    if field in TYPES:
        return profile["properties"].get(field)
    return profile["email" if field == "email" else "marketingStatus"]


def _of_type(field: str, found: Any) -> list[Any]:
    """The values to compare. One that is not of the declared type passes no test but `exists`."""
    match TYPES.get(field, "STRING"):
        case "NUMBER":
            return [found] if isinstance(found, int | float) and not isinstance(found, bool) else []
        case "BOOLEAN":
            return [found] if isinstance(found, bool) else []
        case "STRING_LIST":
            return found if isinstance(found, list) else []
    return found if isinstance(found, list) and field not in TYPES else [found] if isinstance(found, str) else []


def _wanted(field: str, value: Any) -> Any:
    fold = {"email": str.lower, "marketing_status": str.upper}.get(field)
    if fold is None:
        return value
    return [fold(each) for each in value] if isinstance(value, list) else fold(value)


def _compare(operator: str, found: Any, wanted: Any) -> bool:
    match operator:
        case "equals":
            return bool(found == wanted)
        case "one_of":
            return found in wanted
        case "greater_than":
            return bool(found > wanted)
        case "less_than":
            return bool(found < wanted)
        case "at_least":
            return bool(found >= wanted)
        case "at_most":
            return bool(found <= wanted)
        case "contains":
            return wanted in found
        case "starts_with":
            return bool(found.startswith(wanted))
        case "ends_with":
            return bool(found.endswith(wanted))
    raise AssertionError(f"the fuzz uses no operator {operator}")


def understands(rule: Any) -> bool:
    """Whether this rule is one of `values.rule`, and not an altered one that the emulator has accepted."""
    if not isinstance(rule, dict):
        return False
    for combination in ("all", "any"):
        if combination in rule:
            return all(map(understands, rule[combination]))
    if "not" in rule:
        return understands(rule["not"])
    known = rule["field"] in ("email", "marketing_status", "segment_engage_audience_id", *TYPES)
    return known and "since" not in rule and _fits(rule)


_NUMBERS = frozenset({"equals", "not_equals", "one_of", "greater_than", "less_than", "at_least", "at_most"})
_TEXTS = frozenset({"equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", "one_of"})
_OF_TYPE = {"NUMBER": (int | float, _NUMBERS), "BOOLEAN": (bool, frozenset({"equals", "not_equals", "one_of"}))}


def _fits(rule: Mapping[str, Any]) -> bool:
    if rule["operator"] in ("exists", "not_exists"):
        return True
    kind, operators = _OF_TYPE.get(TYPES.get(rule["field"], ""), (str, _TEXTS))
    value = rule["value"]
    values = value if isinstance(value, list) else [value]
    right = all(isinstance(each, kind) and (kind is bool or not isinstance(each, bool)) for each in values)
    return rule["operator"] in operators and right
