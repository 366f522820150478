"""Audience conditions: the JSON form of a workspace compiled to a test of the facts of a profile.

The kinds of "Engage Audiences" in Segment's documentation: a trait, an event, membership in another audience, and
combinations with `all`, `any` and `not`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

from emulator.segment.conditions.clause import Clause
from emulator.segment.conditions.condition import Condition, check_value, joined, negated, on_trait
from emulator.segment.conditions.dates import (
    FIXED,
    RELATIVE,
    FixedOperator,
    RelativeOperator,
    compile_fixed,
    compile_relative,
)
from emulator.segment.conditions.events import compile_event
from emulator.segment.conditions.operators import OPERATORS, Operator
from emulator.segment.profiles.facts import ProfileFacts

EMAIL = "email"

# All operators of a trait condition, each with its `description` and what it `takes`.
TRAIT_OPERATORS: Mapping[str, Operator | FixedOperator | RelativeOperator] = {**OPERATORS, **FIXED, **RELATIVE}

Source: TypeAlias = Mapping[str, Any]

_MEMBERSHIP = {True: "a member", False: "not a member"}


def compile_condition(condition: Source, *, where: str) -> Condition:
    """A condition that fits the workspace's schema, as a function.

    Raises WorkspaceError for what the schema cannot check: a value that does not fit its operator, an empty window.
    """
    return _COMPILERS[kind_of(condition)](condition, where)


def kind_of(condition: Source) -> str:
    """`all`, `any`, `not`, `event`, `audience` or `trait`."""
    return next(kind for kind in _COMPILERS if kind in condition)


def requires(condition: Source, trait: str, audiences: Mapping[str, Source] | None = None) -> bool:
    """Whether no profile without the trait can meet the condition. `audiences` are the conditions by audience key."""
    conditions = audiences or {}
    # A workspace that is only checked may have a cycle.
    on_the_way: set[str] = set()

    @cache
    def excludes(audience: str) -> bool:
        if audience in on_the_way or audience not in conditions:
            return False
        on_the_way.add(audience)
        return _without(conditions[audience], trait, excludes) is False

    return _without(condition, trait, excludes) is False


def has_time_window(condition: Source) -> bool:
    """Whether the condition counts events of a period. Segment computes audiences with such a condition in batches."""
    kind = kind_of(condition)
    if kind in ("all", "any"):
        return any(has_time_window(part) for part in condition[kind])
    if kind == "not":
        return has_time_window(condition["not"])
    return kind == "event" and ("within" in condition or "between" in condition)


def _without(condition: Source, trait: str, excludes: Callable[[str], bool]) -> bool | None:
    """The outcome for every profile without the trait; None when it depends on something else.

    `excludes` is whether the audience with a key has no member without the trait.
    """
    kind = kind_of(condition)
    if kind in ("all", "any"):
        outcomes = {_without(part, trait, excludes) for part in condition[kind]}
        decisive = kind == "any"
        return decisive if decisive in outcomes else None if None in outcomes else not decisive
    if kind == "not":
        outcome = _without(condition["not"], trait, excludes)
        return None if outcome is None else not outcome
    if kind == "audience":
        # Members also need a user id or an email, so a condition that is always true says nothing of membership.
        return False if excludes(condition["audience"]) else None
    if kind == "trait" and condition["trait"] == trait:
        operator = OPERATORS.get(condition["operator"])
        return bool(operator and operator.missing)
    return None


def _parts(parts: Iterable[Source], where: str) -> tuple[Condition, ...]:
    return tuple(compile_condition(part, where=f"{where}[{position}]") for position, part in enumerate(parts))


def _all(condition: Source, where: str) -> Condition:
    return joined(_parts(condition["all"], f"{where}.all"), every=True)


def _any(condition: Source, where: str) -> Condition:
    return joined(_parts(condition["any"], f"{where}.any"), every=False)


def _not(condition: Source, where: str) -> Condition:
    return negated(compile_condition(condition["not"], where=f"{where}.not"))


def _event(condition: Source, where: str) -> Condition:
    return compile_event(condition, where=where)


def _audience(condition: Source, _where: str) -> Condition:
    key = condition["audience"]

    def explain(facts: ProfileFacts, wanted: bool) -> Clause:
        found, needs = _MEMBERSHIP[key in facts.audiences], _MEMBERSHIP[wanted]
        return Clause(
            text=f"audience {key} needs {needs}",
            passed=found == needs,
            found=found,
            needs=needs,
            state=f"audience {key}: {found}",
        )

    return Condition(holds=lambda facts: key in facts.audiences, explain=explain, audiences=frozenset({key}))


def _trait(condition: Source, where: str) -> Condition:
    trait, name, value = condition["trait"], condition["operator"], condition.get("value")
    if name in RELATIVE:
        return compile_relative(trait, name, value, where=where)
    if name in FIXED:
        return compile_fixed(trait, name, value, where=where)
    operator = OPERATORS[name]
    check_value(name, value, fits=operator.fits(value), takes=operator.takes, where=where)
    test = operator.test
    return on_trait(
        trait,
        lambda facts: test(facts.traits.get(trait), value),
        lambda _facts, wanted: operator.needs(value) if wanted else operator.otherwise(value),
    )


_COMPILERS: Mapping[str, Callable[[Source, str], Condition]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "event": _event,
    "audience": _audience,
    "trait": _trait,
}
