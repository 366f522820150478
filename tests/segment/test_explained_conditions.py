"""Why a profile is in no audience: each condition with the value that it found."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.segment.conditions.compile import TRAIT_OPERATORS, compile_condition
from emulator.segment.conditions.proposed_change import change_for
from emulator.segment.profiles.facts import Performed, ProfileFacts
from emulator.timestamps import to_millis
from tests.segment.conftest import NOON, OpenEnv, SegmentEnv

NOW = to_millis(NOON)
DAY = 86_400_000


def failed(condition: dict[str, Any], facts: ProfileFacts) -> str:
    compiled = compile_condition(condition, where="c")
    clause = compiled.explain(facts, True)
    assert clause.passed == compiled.holds(facts)
    return "; ".join(clause.failed())


def trait(operator: str, value: Any = None) -> dict[str, Any]:
    return {"trait": "t", "operator": operator, "value": value}


NOT_A_TIMESTAMP = "a timestamp with a time zone"
# Condition, the value found (None for none), and what is said with and without `not` around the condition: one of both
# holds, which says nothing.
TRAITS: list[tuple[dict[str, Any], Any, str]] = [
    (trait("equals", "CA"), "ca", 't is "ca" (string), needs "CA" (string)'),
    (trait("equals", 5), "5", 't is "5" (string), needs 5 (number)'),
    (trait("equals", True), "true", 't is "true" (string), needs true (boolean)'),
    (trait("equals", "a"), "a", 't is "a" (string), needs anything but "a" (string)'),
    (trait("not_equals", "a"), None, 't is missing, needs any value but "a" (string)'),
    (trait("not_equals", "a"), "a", 't is "a" (string), needs any value but "a" (string)'),
    (trait("not_equals", "a"), "b", 't is "b" (string), needs "a" (string) or no value'),
    (trait("less_than", 5), 5, "t is 5 (number), needs a number < 5"),
    (trait("greater_than", 5), None, "t is missing, needs a number > 5"),
    (trait("at_most", 5), True, "t is true (boolean), needs a number ≤ 5"),
    (trait("at_least", 500), "900 CAD", 't is "900 CAD" (string), needs a number ≥ 500'),
    (trait("at_least", 500), 900, "t is 900 (number), needs anything but a number ≥ 500"),
    (trait("one_of", ["a", 1]), "1", 't is "1" (string), needs "a" (string) or 1 (number)'),
    (trait("one_of", ["a"]), "a", 't is "a" (string), needs anything but "a" (string)'),
    (trait("contains", "x"), ["a"], 't is ["a"] (array), needs a string with "x" in it'),
    (trait("contains", ["x", "y"]), 1, 't is 1 (number), needs a string with "x" or "y" in it'),
    (trait("not_contains", "x"), "axb", 't is "axb" (string), needs anything but a string with "x" in it'),
    (trait("not_contains", "x"), None, 't is missing, needs a string with "x" in it'),
    (trait("starts_with", "a"), {"a": 1}, 't is {"a": 1} (object), needs a string that starts with "a"'),
    (trait("ends_with", "a"), "x" * 70, f't is "{"x" * 59}… (string), needs a string that ends with "a"'),
    (trait("exists"), None, "t is missing, needs any value"),
    (trait("exists"), 0, "t is 0 (number), needs no value"),
    (trait("not_exists"), "", 't is "" (string), needs no value'),
    (trait("not_exists"), None, "t is missing, needs any value"),
    (
        trait("within_last", "7d"),
        "2026-01-01",
        f't is "2026-01-01" (string), needs {NOT_A_TIMESTAMP}, at most 7d before 2026-03-01T12:00:00.000Z',
    ),
    (
        trait("within_next", "7d"),
        "2026-02-01T00:00:00Z",
        f't is "2026-02-01T00:00:00Z" (string), needs {NOT_A_TIMESTAMP}, at most 7d after 2026-03-01T12:00:00.000Z',
    ),
    (
        trait("before_last", "7d"),
        None,
        f"t is missing, needs {NOT_A_TIMESTAMP}, at least 7d before 2026-03-01T12:00:00.000Z",
    ),
    (
        trait("after_next", "7d"),
        1,
        f"t is 1 (number), needs {NOT_A_TIMESTAMP}, at least 7d after 2026-03-01T12:00:00.000Z",
    ),
    (
        trait("before_date", "2026-01-01T00:00:00Z"),
        "2026-01-02T00:00:00Z",
        f't is "2026-01-02T00:00:00Z" (string), needs {NOT_A_TIMESTAMP}, before 2026-01-01T00:00:00Z',
    ),
    (
        trait("after_date", "2026-01-01T00:00:00Z"),
        "2026-01-02T00:00:00Z",
        f't is "2026-01-02T00:00:00Z" (string), needs anything but {NOT_A_TIMESTAMP}, after 2026-01-01T00:00:00Z',
    ),
]


@pytest.mark.parametrize(("condition", "found", "expected"), TRAITS)
def test_a_condition_on_a_trait_says_what_it_found_and_needs(
    condition: dict[str, Any], found: Any, expected: str
) -> None:
    facts = ProfileFacts(traits={} if found is None else {"t": found}, now=NOW)
    assert {failed(condition, facts), failed({"not": condition}, facts)} == {expected, ""}


def test_every_operator_of_a_trait_is_in_the_table() -> None:
    assert {condition["operator"] for condition, _, _ in TRAITS} == set(TRAIT_OPERATORS)


BOUGHT = {"event": "Bought"}
# Condition, how many days ago the event was performed, and what is said with or without `not` around the condition.
EVENTS: list[tuple[dict[str, Any], list[int], str]] = [
    (BOUGHT, [], "Bought was performed 0 times, needs at least 1 time"),
    (BOUGHT, [1], "Bought was performed 1 time, needs at most 0 times"),
    (BOUGHT | {"value": 3, "within": "30d"}, [1, 2, 40],
     "Bought was performed 2 times in the last 30d, needs at least 3 times"),
    (BOUGHT | {"operator": "at_most", "value": 1}, [1, 2, 3],
     "Bought was performed more than 1 time, needs at most 1 time"),
    (BOUGHT | {"operator": "at_most", "value": 1}, [1], "Bought was performed 1 time, needs at least 2 times"),
    (BOUGHT | {"operator": "exactly", "value": 2, "between": ["30d", "90d"]}, [40],
     "Bought was performed 1 time between 30d and 90d ago, needs exactly 2 times"),
    (BOUGHT | {"operator": "exactly", "value": 1}, [40], "Bought was performed 1 time, needs not exactly 1 time"),
    (BOUGHT | {"where": [{"property": "total", "operator": "at_least", "value": 50}]}, [1],
     "Bought was performed 0 times with total: a number ≥ 50, needs at least 1 time"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "days", "expected"), EVENTS)
def test_a_condition_on_events_says_how_often_they_were_performed(
    condition: dict[str, Any], days: list[int], expected: str
) -> None:
    performed = [Performed(event="Bought", at=NOW - day * DAY, properties={"total": 9}) for day in days]
    facts = ProfileFacts(traits={}, now=NOW, performed={"Bought": performed})
    assert {failed(condition, facts), failed({"not": condition}, facts)} == {expected, ""}


BIG, CANADIAN = (
    {"trait": "spent", "operator": "at_least", "value": 5},
    {"trait": "c", "operator": "equals", "value": "CA"},
)
IN_B = {"audience": "b"}
FROM_B = "audience b: not a member, needs a member"
NOT_BIG, NOT_CANADIAN = "spent is 1 (number), needs a number ≥ 5", 'c is missing, needs "CA" (string)'


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (IN_B, FROM_B),
        ({"not": {"audience": "a"}}, "audience a: a member, needs not a member"),
        ({"all": [BIG, {"audience": "a"}, CANADIAN]}, f"{NOT_BIG}; {NOT_CANADIAN}"),
        ({"any": [BIG, CANADIAN]}, f"{NOT_BIG} or {NOT_CANADIAN}"),
        ({"any": [BIG, {"audience": "a"}]}, ""),
        ({"any": [{"all": [BIG, CANADIAN]}, IN_B]}, f"({NOT_BIG} and {NOT_CANADIAN}) or {FROM_B}"),
        ({"all": [{"any": [BIG, CANADIAN]}, IN_B]}, f"{NOT_BIG} or {NOT_CANADIAN}; {FROM_B}"),
        ({"any": [{"any": [BIG, CANADIAN]}, IN_B]}, f"{NOT_BIG} or {NOT_CANADIAN} or {FROM_B}"),
        ({"not": {"not": BIG}}, NOT_BIG),
        (
            {"not": {"all": [{"audience": "a"}, {"not": BIG}]}},
            f"audience a: a member, needs not a member or {NOT_BIG}",
        ),
        ({"not": {"any": [{"audience": "a"}, BIG]}}, "audience a: a member, needs not a member"),
    ],
)  # fmt: skip
def test_a_group_says_which_of_its_clauses_failed(condition: dict[str, Any], expected: str) -> None:
    assert failed(condition, ProfileFacts(traits={"spent": 1}, now=NOW, audiences={"a"})) == expected


def test_a_trait_of_another_spelling_is_named() -> None:
    facts = ProfileFacts(traits={"totalSpent": 900, "total": 1})
    condition = {"trait": "total_spent", "operator": "exists"}
    assert failed(condition, facts) == 'total_spent is missing (there is "totalSpent"), needs any value'


def test_the_tree_has_each_clause_with_the_value_found() -> None:
    condition = {"all": [BIG, {"not": {"any": [CANADIAN, BOUGHT]}}, IN_B]}
    clause = compile_condition(condition, where="c").explain(ProfileFacts(traits={"spent": "1"}), True)
    spent = {"text": "spent needs a number ≥ 5", "passed": False, "found": '"1"', "type": "string"}
    country = {"text": 'c needs anything but "CA" (string)', "passed": True, "found": None, "type": None}
    bought = {"text": "Bought performed needs at most 0 times", "passed": True, "found": "0 times", "type": None}
    member = {"text": "audience b needs a member", "passed": False, "found": "not a member", "type": None}
    assert clause.as_dict() == {
        "text": "all of",
        "passed": False,
        "parts": [
            spent | {"needs": "a number ≥ 5"},
            {
                "text": "all of",
                "passed": True,
                "parts": [country | {"needs": 'anything but "CA" (string)'}, bought | {"needs": "at most 0 times"}],
            },
            member | {"needs": "a member"},
        ],
    }


def test_the_service_explains_every_audience_of_a_profile(segment_env: SegmentEnv) -> None:
    env = segment_env
    env.identify("u1", email="ada@example.com", total_spent="900 CAD")
    env.identify("u2", email="bob@example.com", total_spent=900)
    env.segment.ingest("identify", {"anonymousId": "anon", "traits": {"total_spent": 900}})
    everyone = env.segment.explain_audiences()
    assert [(each["profile"][-1], each["audience"], each["member"], each["failed"]) for each in everyone] == [
        ("1", "vip_customers", False, ['total_spent is "900 CAD" (string), needs a number ≥ 500']),
        ("2", "vip_customers", True, []),
        ("3", "vip_customers", False, ["the profile has neither user id nor email, so no audience is computed"]),
    ]
    assert env.segment.explain_audiences(user_id="u1") == everyone[:1]
    assert env.segment.explain_audiences(email="bob@example.com") == everyone[1:2]
    assert env.segment.explain_audiences(user_id="u1", email="bob@example.com") == []
    assert everyone[1]["name"] == "VIP Customers"


@pytest.mark.parametrize(("condition", "found", "_expected"), TRAITS)
def test_a_change_of_the_trait_makes_its_condition_hold(condition: dict[str, Any], found: Any, _expected: str) -> None:
    facts = ProfileFacts(traits={} if found is None else {"t": found}, now=NOW)
    wanted = condition if failed(condition, facts) else {"not": condition}
    change = change_for(wanted, facts)
    assert change is not None
    traits = {**facts.traits, **change.traits}
    kept = {name: value for name, value in traits.items() if value is not None}
    assert failed(wanted, ProfileFacts(traits=kept, now=NOW)) == ""


def changed(condition: dict[str, Any], **traits: Any) -> dict[str, Any] | None:
    change = change_for(condition, ProfileFacts(traits=traits, now=NOW))
    return None if change is None else change.as_dict()


def test_a_change_keeps_to_what_was_found_and_is_the_smallest() -> None:
    assert changed(trait("at_least", 500), t="900 CAD") == {"traits": {"t": 900}, "events": []}
    assert changed(trait("at_least", 500), t="9 CAD") == {"traits": {"t": 500}, "events": []}
    assert changed({"any": [{"all": [BIG, CANADIAN]}, CANADIAN]}) == {"traits": {"c": "CA"}, "events": []}
    assert changed({"all": [BIG, CANADIAN]}, spent=7) == {"traits": {"c": "CA"}, "events": []}
    assert changed({"trait": "email", "operator": "exists"}) == {
        "traits": {"email": "person@example.com"},
        "events": [],
    }
    assert changed(BIG, spent=7) is None, "it holds"


def test_events_that_are_missing_are_performed_with_the_properties_that_count() -> None:
    total = {"property": "order.total", "operator": "at_least", "value": 5}
    condition = BOUGHT | {"value": 2, "within": "7d", "where": [total]}
    bought = {"event": "Bought", "properties": {"order": {"total": 5}}}
    assert changed(condition) == {"traits": {}, "events": [bought, bought]}


@pytest.mark.parametrize("condition", [IN_B, {"all": [BIG, IN_B]}, {"all": [BIG, {"not": BIG}]}])
def test_no_change_is_given_where_none_makes_the_condition_hold(condition: dict[str, Any]) -> None:
    assert changed(condition) is None


def test_the_change_makes_the_profile_enter_the_audience(open_env: OpenEnv, document: dict[str, Any]) -> None:
    total = {"property": "order.total", "operator": "at_least", "value": 5}
    document["audiences"][0]["condition"] = {"all": [BIG, {"not": CANADIAN}, BOUGHT | {"value": 2, "where": [total]}]}
    env = open_env(document)
    env.identify("u1", email="ada@example.com", spent="7.5 CAD", c="CA")
    [outside] = env.segment.explain_audiences(user_id="u1")
    assert outside["change"]["traits"] == {"spent": 7.5, "c": None}
    env.identify("u1", **outside["change"]["traits"])
    for event in outside["change"]["events"]:
        env.segment.ingest("track", {"userId": "u1", **event})
    [inside] = env.segment.explain_audiences(user_id="u1")
    assert (inside["member"], inside["failed"], inside["change"]) == (True, [], None)
