"""Segments: the SQL of a rule does what its documentation says; an invalid rule is refused with its place."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.clock import to_iso
from emulator.durations import parse_duration
from emulator.errors import InputError, NotFound
from emulator.stackadapt.rules.segment_rules import OPERATORS, ORDER_OPERATORS, TEXT_OPERATORS, TIME_OPERATORS
from emulator.stackadapt.rules.values import read_value
from tests.stackadapt.conftest import START, Make, Service, column

TYPES = {
    "tier": "STRING",
    "spent": "NUMBER",
    "active": "BOOLEAN",
    "since": "DATE",
    "seen": "DATETIME",
    "tags": "STRING_LIST",
}
COLUMNS = [column(key, data_type) for key, data_type in TYPES.items()]


def person(name: str, *audiences: str, **properties: Any) -> list[dict[str, Any]]:
    email = f"{name}@example.com"
    entered = [
        {"email": email, "audienceId": f"aud_{audience}", "audienceName": audience, "action": "enter"}
        for audience in audiences
    ]
    return [{"email": email, **properties}, *entered]


@pytest.fixture
def customers(service: Service) -> Service:
    service.sync(
        *person("ann", "vip", "gold_club", tier="Gold", spent="500", active=True, since="2024-05-01", tags=["a", "b"]),
        *person("bob", "vip", tier="gold", spent=20, active=False, since="2023-01-31", tags=["abc"]),
        *person("cat", tier="", spent=-1.5),
        *person("dan"),
        columns=COLUMNS,
    )
    service.sync(
        {"email": "bob@example.com", "audienceId": "aud_vip", "audienceName": "vip", "action": "exit"}, columns=COLUMNS
    )
    return service


def members(service: Service, rule: Any, advertiser: str = "1001") -> str:
    segment = service.stackadapt.segments.create(advertiser, "x", rule)
    assert segment["size"] == len(segment["members"])
    return " ".join(email.partition("@")[0] for email in segment["members"])


def asks(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (asks("segment_engage_audience_name", "equals", "vip"), "ann"),
        (asks("external_audience_name", "not_equals", "vip"), "bob cat dan"),
        (asks("segment_engage_audience_id", "starts_with", "aud_g"), "ann"),
        (asks("external_audience_id", "exists"), "ann"),
        (asks("segment_engage_audience_name", "one_of", ["vip", "x"]), "ann"),
        (asks("email", "equals", "ANN@example.com"), "ann"),
        (asks("email", "ends_with", "@EXAMPLE.com"), "ann bob cat dan"),
        (asks("marketing_status", "equals", "opted_in"), "ann bob cat dan"),
        (asks("tier", "equals", "gold"), "bob"),
        (asks("tier", "contains", "ol"), "ann bob"),
        (asks("tier", "not_contains", "ol"), "cat dan"),
        (asks("tier", "exists"), "ann bob cat"),
        (asks("tier", "not_exists"), "dan"),
        (asks("spent", "greater_than", 20), "ann"),
        (asks("spent", "at_least", "20"), "ann bob"),
        (asks("spent", "less_than", 0), "cat"),
        (asks("spent", "one_of", [20, "500"]), "ann bob"),
        (asks("spent", "not_equals", 500), "bob cat dan"),
        (asks("active", "equals", True), "ann"),
        (asks("active", "equals", "false"), "bob"),
        (asks("since", "at_most", "2023-01-31T23:00:00Z"), "bob"),
        (asks("since", "greater_than", "1/31/2023"), "ann"),
        (asks("tags", "equals", "a"), "ann"),
        (asks("tags", "contains", "b"), "ann bob"),
        (asks("tags", "not_equals", "abc"), "ann cat dan"),
        ({"all": [asks("tier", "exists"), {"not": asks("spent", "at_least", 20)}]}, "cat"),
        ({"any": [asks("tier", "equals", "Gold"), asks("spent", "equals", -1.5)]}, "ann cat"),
    ],
)
def test_a_rule_selects_its_members(customers: Service, rule: Any, expected: str) -> None:
    assert members(customers, rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (asks("since", "before", "2024-05-01"), "bob"),
        (asks("since", "after", "2023-01-31T23:59:00Z"), "ann"),
        (asks("since", "before", "700d"), "bob"),
        (asks("since", "after", "700d"), "ann"),
        (asks("since", "within_last", "669d"), "ann"),
        (asks("since", "within_last", "668d"), ""),
        ({"not": asks("since", "within_last", "669d")}, "bob cat dan"),
        ({**asks("external_audience_name", "equals", "vip"), "since": asks("", "within_last", "1h")}, "ann"),
        ({**asks("external_audience_name", "not_equals", "vip"), "since": asks("", "after", "1h")}, "bob cat dan"),
    ],
)
def test_a_rule_compares_dates_and_membership_starts(customers: Service, rule: Any, expected: str) -> None:
    if "since" in rule:
        del rule["since"]["field"]
    assert members(customers, rule) == expected


def test_relative_dates_follow_the_clock(customers: Service) -> None:
    new = {**asks("external_audience_name", "equals", "vip"), "since": {"operator": "within_last", "value": "7d"}}
    segment = customers.stackadapt.segments.create("1001", "new", new)["id"]
    assert customers.stackadapt.segments.get(segment)["members"] == ["ann@example.com"]
    customers.pass_time(days=8)
    assert customers.stackadapt.segments.get(segment)["members"] == []


def test_entering_again_does_not_restart_a_membership(customers: Service) -> None:
    old = {**asks("external_audience_name", "equals", "vip"), "since": {"operator": "before", "value": "1h"}}
    customers.pass_time(days=1)
    customers.sync(*person("ann", "vip"), *person("bob", "vip"), columns=COLUMNS)
    assert members(customers, old) == "ann"


def test_a_segment_is_edited_and_keeps_its_id(customers: Service) -> None:
    segments = customers.stackadapt.segments
    made = segments.create("1001", "golden", asks("tier", "equals", "gold"))
    assert segments.update(made["id"], name="Golden")["members"] == ["bob@example.com"]
    changed = segments.update(made["id"], rule=asks("tier", "equals", "Gold"))
    assert (changed["id"], changed["name"], changed["members"]) == (made["id"], "Golden", ["ann@example.com"])
    with pytest.raises(InputError, match="rule.operator"):
        segments.update(made["id"], rule=asks("tier", "equal", "x"))
    assert segments.get(made["id"]) == changed
    with pytest.raises(NotFound, match="unknown segment"):
        segments.update("99", name="x")


def test_a_segment_belongs_to_one_advertiser(customers: Service) -> None:
    customers.sync({"email": "eve@example.com"}, advertiser="1002")
    assert members(customers, asks("email", "exists"), "1002") == "eve"


def test_membership_follows_the_profiles(customers: Service) -> None:
    segment = customers.stackadapt.segments.create("1001", "vip", asks("external_audience_name", "equals", "vip"))
    customers.sync({"email": "dan@example.com", "audienceId": "aud_vip", "audienceName": "vip", "action": "enter"})
    assert customers.stackadapt.segments.get(segment["id"])["members"] == ["ann@example.com", "dan@example.com"]


def test_an_undeclared_property_works_with_a_warning(customers: Service) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", asks("nickname", "equals", "Al"))
    assert segment["members"] == []
    assert segment["warnings"] == ["rule.field: no mapping declares the property 'nickname'"]
    customers.sync({"email": "dan@example.com", "nickname": "Al"}, columns=[column("nickname")])
    shown = customers.stackadapt.segments.get(segment["id"])
    assert (shown["members"], shown["warnings"]) == (["dan@example.com"], [])


@pytest.mark.parametrize("operator", ["exists", "not_exists"])
def test_exists_on_an_undeclared_property_carries_a_warning(customers: Service, operator: str) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", asks("nickname", operator))
    assert segment["warnings"] == ["rule.field: no mapping declares the property 'nickname'"]


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        (asks("tier", "greater_than", 5), "'tier' is declared STRING, which has no order; greater_than never passes"),
        (asks("spent", "contains", "5"), "'spent' is declared NUMBER, which is not text; contains never passes"),
        (asks("spent", "equals", "many"), "'spent' is declared NUMBER; the value cannot be read as that type"),
        (asks("email", "less_than", "m"), "'email' has no order; less_than never passes"),
        (asks("tier", "within_last", "5d"), "'tier' is not declared DATE or DATETIME; within_last never passes"),
        (asks("email", "before", "5d"), "'email' has no order; before never passes"),
        (asks("external_audience_id", "at_most", 5), "'segment_engage_audience_id' has no order; at_most never passes"),
    ],
)
def test_a_rule_that_never_passes_carries_a_warning(customers: Service, rule: Any, warning: str) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", {"all": [rule]})
    assert segment["members"] == []
    assert len(segment["warnings"]) == 1
    assert segment["warnings"][0].startswith("rule.all[0].")
    assert segment["warnings"][0].endswith(warning)


@pytest.mark.parametrize(
    ("rule", "place", "message"),
    [
        (5, "rule", "an object with field and operator"),
        ({}, "rule.field", "name of a field"),
        ({"feild": "a"}, "rule.feild", "'field'"),
        (asks("a", "equalz", 1), "rule.operator", "'equals'"),
        ({"field": "a"}, "rule.operator", "a rule needs an operator. Allowed: equals"),
        ({"field": "a", "operator": 5}, "rule.operator", "unknown operator 5"),
        ({"all": [asks("a", "exists"), asks("b", "contain", "x")]}, "rule.all[1].operator", "'contains'"),
        ({"any": []}, "rule.any", "one rule or more"),
        ({"not": {"all": asks("a", "exists")}}, "rule.not.all", "an array of one rule or more"),
        ({"all": [asks("a", "exists")], "field": "x"}, "rule.field", "cannot be combined with other keys"),
        (asks("a", "exists", 1), "rule.value", "takes no value"),
        (asks("a", "contains", ""), "rule.value", "a non-empty string"),
        (asks("a", "contains", 5), "rule.value", "a non-empty string"),
        (asks("a", "equals"), "rule.value", "a string, number or boolean"),
        (asks("a", "equals", None), "rule.value", "a string, number or boolean"),
        (asks("a", "greater_than", True), "rule.value", "a number or a date"),
        (asks("a", "equals", float("nan")), "rule.value", "a string, number or boolean"),
        (asks("a", "one_of", []), "rule.value", "a non-empty array"),
        (asks("a", "one_of", [[1]]), "rule.value", "a non-empty array"),
        (asks("a", "within_last", 30), "rule.value", "a duration of at most a hundred years such as 30d"),
        (asks("a", "within_last", "2024-01-01"), "rule.value", "a duration of at most a hundred years such as 30d"),
        (asks("a", "within_last", "99999999d"), "rule.value", "at most a hundred years"),
        (asks("a", "before", "soon"), "rule.value", "a date, or a duration"),
        ({**asks("a", "exists"), "since": {"operator": "before", "value": "1d"}}, "rule.since", "memberships only"),
        ({**asks("external_audience_id", "exists"), "since": "1d"}, "rule.since", "an object with operator and value"),
        (
            {**asks("external_audience_id", "exists"), "since": {"operator": "equals", "value": "1d"}},
            "rule.since.operator",
            "after, before, within_last",
        ),
        (
            {**asks("external_audience_id", "exists"), "since": {"operator": "after", "value": []}},
            "rule.since.value",
            "a date, or a duration",
        ),
        (asks("a\x00", "exists"), "rule.field", "name of a field"),
        ({"all": [asks("a", "exists")] * 101}, "rule", "at most 100"),
    ],
)
def test_an_invalid_rule_is_refused_with_its_place_and_what_is_allowed(
    service: Service, rule: Any, place: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        service.stackadapt.segments.create("1001", "x", rule)
    assert str(caught.value).startswith(f"{place}: ")
    assert message in str(caught.value)
    assert service.stackadapt.segments.list() == []


def test_a_rule_nested_too_deeply_is_refused(service: Service) -> None:
    rule: Any = asks("a", "exists")
    for _ in range(500):
        rule = {"not": rule}
    with pytest.raises(InputError, match="nested too deeply"):
        service.stackadapt.segments.create("1001", "x", rule)


def test_segments_are_listed_paged_and_deleted(customers: Service) -> None:
    segments = customers.stackadapt.segments
    made = segments.create("1001", "everyone", asks("email", "exists"))
    assert made == {
        "id": "1",
        "advertiserId": "1001",
        "name": "everyone",
        "rule": asks("email", "exists"),
        "size": 4,
        "warnings": [],
        "unknownValues": [],
        "members": ["ann@example.com", "bob@example.com", "cat@example.com", "dan@example.com"],
    }
    assert segments.list() == [{key: value for key, value in made.items() if key != "members"}]
    assert segments.get("1", limit=2, offset=1)["members"] == ["bob@example.com", "cat@example.com"]
    assert "members" not in segments.get("1", members=False)
    segments.delete("1")
    assert segments.list() == []
    for call in (segments.get, segments.delete):
        with pytest.raises(NotFound, match="unknown segment"):
            call("1")
    assert segments.create("1001", "again", asks("email", "exists"))["id"] == "2"


def test_an_unknown_advertiser_is_refused_with_the_nearest(service: Service) -> None:
    with pytest.raises(InputError, match="Did you mean '1001'"):
        service.stackadapt.segments.create("10001", "x", asks("email", "exists"))


# The semantics of rules, implemented a second time in Python.

words = st.text("aAbB1é%_", max_size=3)
scalars = st.one_of(words, st.integers(-3, 3), st.sampled_from([0.5, -1.5]), st.booleans())
dates = st.sampled_from(["2024-01-01", "2024-01-02", "2023-12-31"])
values = st.one_of(scalars, dates)
properties = st.fixed_dictionaries(
    {},
    optional={
        "tier": words,
        "spent": st.one_of(st.integers(-3, 3), st.sampled_from(["0.5", "x"])),
        "active": st.booleans(),
        "since": dates,
        "seen": st.one_of(
            dates, st.sampled_from(["2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z", "2026-03-01T12:00Z"])
        ),
        "tags": st.lists(words, max_size=3),
        "other": scalars,
    },
)
# The audiences of a person, and whether the membership began on the first or the second day.
audiences_by_day = st.dictionaries(st.sampled_from(["aa", "aB", "b"]), st.integers(0, 1))
people = st.lists(st.tuples(properties, audiences_by_day), min_size=1, max_size=5)
NOW = START + timedelta(days=1)
durations = st.sampled_from(["0s", "1d", "24h", "23h", "790d", "791d", "800d"])
points_in_time = st.one_of(durations, dates, st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-02"]))
fields = st.sampled_from([*TYPES, "unknown", "email", "marketing_status", "external_audience_name"])


def leaves_of(field: str, operator: str) -> st.SearchStrategy[dict[str, Any]]:
    kind = OPERATORS[operator].value
    if kind == "nothing":
        return st.just(asks(field, operator))
    value: Any = {
        "scalar": values,
        "string": words.filter(bool),
        "ordered": values.filter(lambda value: not isinstance(value, bool)),
        "array": st.lists(values, min_size=1, max_size=3),
        "time": points_in_time,
        "duration": durations,
    }[kind]
    return value.map(lambda chosen: asks(field, operator, chosen))


times = st.one_of(
    st.fixed_dictionaries({"operator": st.sampled_from(["before", "after"]), "value": points_in_time}),
    st.fixed_dictionaries({"operator": st.just("within_last"), "value": durations}),
)
memberships = st.tuples(
    st.sampled_from(["equals", "not_equals", "exists", "contains"]).flatmap(
        lambda operator: leaves_of("external_audience_name", operator)
    ),
    times,
).map(lambda pair: {**pair[0], "since": pair[1]})
leaves = memberships | st.tuples(fields, st.sampled_from(sorted(OPERATORS))).flatmap(lambda pair: leaves_of(*pair))
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"all": each}),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"any": each}),
        inner.map(lambda each: {"not": each}),
    ),
    max_leaves=4,
)

COMPARE: dict[str, Any] = {
    "equals": lambda have, want: have == want,
    "contains": lambda have, want: want in have,
    "starts_with": lambda have, want: have.startswith(want),
    "ends_with": lambda have, want: have.endswith(want),
    "greater_than": lambda have, want: have > want,
    "less_than": lambda have, want: have < want,
    "at_least": lambda have, want: have >= want,
    "at_most": lambda have, want: have <= want,
    "one_of": lambda have, want: have in want,
}


def kind_of(value: Any) -> type:
    return bool if isinstance(value, bool) else str if isinstance(value, str) else float


def bound_of(value: str, data_type: str) -> Any:
    if value[-1] in "smhd" and value[:-1].isdigit():
        value = to_iso(NOW - parse_duration(value))
    read = read_value(value, data_type)
    return read.content if read else None


def in_time(operator: str, value: str, data_type: str, have: Any) -> bool:
    bound = bound_of(value, data_type)
    if operator == "within_last":
        return bool(bound <= have <= bound_of("0s", data_type))
    return bool(have < bound if operator == "before" else have > bound)


def holds(rule: dict[str, Any], profile: dict[str, Any]) -> bool:
    if "all" in rule:
        return all(holds(each, profile) for each in rule["all"])
    if "any" in rule:
        return any(holds(each, profile) for each in rule["any"])
    if "not" in rule:
        return not holds(rule["not"], profile)
    field, operator = rule["field"], rule["operator"]
    opposite = OPERATORS[operator].opposite_of
    if opposite:
        return not holds({**rule, "operator": opposite}, profile)
    have = profile["fields"].get(field)
    if "since" in rule:
        asked = rule["since"]
        began = {name: to_iso(START + timedelta(days=day)) for name, day in profile["days"].items()}
        have = [name for name in have if in_time(asked["operator"], asked["value"], "DATETIME", began[name])]
    if operator in TIME_OPERATORS:
        data_type = TYPES.get(field, "")
        return (
            data_type in ("DATE", "DATETIME") and have is not None and in_time(operator, rule["value"], data_type, have)
        )
    stored = have if isinstance(have, list) else [] if have is None else [have]
    if operator == "exists":
        return bool(stored) if field == "external_audience_name" else have is not None
    wanted = rule["value"] if operator == "one_of" else [rule["value"]]
    data_type = {**TYPES, "unknown": None, "email": "EMAIL", "marketing_status": "STATUS"}.get(field, "AUDIENCE")
    if operator in ORDER_OPERATORS and data_type not in (None, "NUMBER", "DATE", "DATETIME"):
        return False
    if operator in TEXT_OPERATORS and data_type in ("NUMBER", "BOOLEAN"):
        return False
    if data_type in ("EMAIL", "STATUS", "AUDIENCE"):
        texts = [value if isinstance(value, str) else json.dumps(value) for value in wanted]
        wanted = [{"EMAIL": text.lower(), "STATUS": text.upper(), "AUDIENCE": text}[data_type] for text in texts]
    elif data_type is not None and operator not in TEXT_OPERATORS:
        read = [read_value(value, "STRING" if data_type == "STRING_LIST" else data_type) for value in wanted]
        wanted = [value.content for value in read if value]
    compare = COMPARE["equals" if operator == "one_of" else operator]
    return any(kind_of(have) is kind_of(want) and compare(have, want) for have in stored for want in wanted)


def expected_fields(record: dict[str, Any], email: str, audiences: dict[str, int]) -> dict[str, Any]:
    read = {key: read_value(record[key], data_type) for key, data_type in TYPES.items() if key in record}
    return {
        **{key: value.content for key, value in read.items() if value},
        "email": email,
        "marketing_status": "OPTED_IN",
        "external_audience_name": sorted(audiences),
    }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people, st.lists(rules, min_size=1, max_size=4))
def test_sql_and_python_agree_on_every_rule(make_service: Make, people_drawn: Any, asked: list[dict[str, Any]]) -> None:
    service = make_service()
    days: list[list[dict[str, Any]]] = [[], []]
    profiles = []
    for number, (record, audiences) in enumerate(people_drawn):
        email = f"a{number}@example.com"
        for day, records in enumerate(days):
            records += person(f"a{number}", *(name for name, begun in audiences.items() if begun == day), **record)
        profiles.append({"email": email, "fields": expected_fields(record, email, audiences), "days": audiences})
    service.sync(*days[0], columns=COLUMNS)
    service.pass_time(days=1)
    service.sync(*days[1], columns=COLUMNS)
    for rule in asked:
        found = service.stackadapt.segments.create("1001", "x", rule)["members"]
        assert found == [profile["email"] for profile in profiles if holds(rule, profile)], rule


@pytest.mark.parametrize(
    "rule",
    [
        {"any": [{"field": "email", "operator": "exists"}] * 101},
        {"field": "email", "operator": "one_of", "value": ["x"] * 10_001},
    ],
    ids=["tests", "values"],
)
def test_a_rule_too_large_is_refused_and_not_stored(service: Service, rule: Any) -> None:
    with pytest.raises(InputError, match="too many"):
        service.stackadapt.segments.create("1001", "x", rule)
    assert service.stackadapt.segments.list() == []
