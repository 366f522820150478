"""Rules of segments: members, warnings, refusals; segments edited, listed and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import InputError, NotFound
from tests.stackadapt.conftest import Service, column
from tests.stackadapt.segment_people import COLUMNS, asks, person


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
