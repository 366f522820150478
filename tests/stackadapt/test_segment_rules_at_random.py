"""Random rules on random people select in SQL what a second implementation in Python selects."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.clock import to_iso
from emulator.durations import parse_duration
from emulator.stackadapt.rules.segment_rules import OPERATORS, ORDER_OPERATORS, TEXT_OPERATORS, TIME_OPERATORS
from emulator.stackadapt.rules.values import read_value
from tests.stackadapt.conftest import START, Make
from tests.stackadapt.segment_people import COLUMNS, TYPES, asks, person

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
