"""A segment on a value that no profile can have warns, with the closest known one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from emulator.stackadapt.segments.unknown_values import MOST_LOOKED_UP, KnownValues
from emulator.workspace import Audience, Journey, Step, Workspace, load_workspace
from tests.stackadapt.conftest import Make, Service, column

ID, NAME = "segment_engage_audience_id", "segment_engage_audience_name"
NONE_HAS = "no record and no audience of the workspace has"


def workspace() -> Workspace:
    """Two audiences, and a journey of one step."""
    base = load_workspace()
    lapsed = Audience(id="aud_lapsed", key="lapsed_buyers", name="Lapsed Buyers", condition={})
    step = Step(key="welcome_step", name="Welcome Step", wait=timedelta(), condition=None)
    journey = Journey(id="jou_1", name="Onboarding", entry={}, steps=(step,))
    return replace(base, audiences=(*base.audiences, lapsed), journeys=(journey,))


def record(email: str, **more: Any) -> dict[str, Any]:
    return {"email": email, "audienceId": "aud_crm", "audienceName": "crm_list", "action": "enter", **more}


@pytest.fixture
def customers(make_service: Make) -> Service:
    service = make_service(workspace=workspace())
    columns = [column("tier"), column("tags", "STRING_LIST"), column("spent", "NUMBER")]
    service.sync(record("ann@example.com", tier="Gold", tags=["new", "vip"], spent=5), columns=columns)
    service.sync(record("bob@example.com", audienceId="aud_other", audienceName="other"), advertiser="1002")
    return service


def asks(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}


def found(service: Service, rule: Any) -> tuple[list[str], list[tuple[str, str, str, str | None]]]:
    segment = service.stackadapt.segments.create("1001", "x", rule)
    assert service.stackadapt.segments.get(segment["id"])["warnings"] == segment["warnings"]
    values = [(each["place"], each["field"], each["value"], each["nearest"]) for each in segment["unknownValues"]]
    return segment["warnings"], values


@pytest.mark.parametrize(
    "rule",
    [
        asks(ID, "equals", "aud_local_vip"),
        asks(ID, "equals", "welcome_step"),
        asks(ID, "equals", "aud_crm"),
        asks(NAME, "equals", "vip_customers"),
        asks(NAME, "one_of", ["crm_list", "lapsed_buyers", "welcome_step"]),
        asks(NAME, "contains", "customer"),
        asks(NAME, "not_contains", "_list"),
        asks(NAME, "starts_with", "vip"),
        asks(NAME, "ends_with", "buyers"),
        asks(NAME, "exists"),
        asks("marketing_status", "equals", "opted_out"),
        asks("marketing_status", "contains", "whatever"),
        asks("email", "equals", "unknown@example.com"),
        # A property may have any value.
        asks("tier", "equals", "platinum"),
        asks("tier", "equals", "Gold"),
        asks("tags", "equals", "vip"),
        asks("spent", "equals", 6),
        asks("first_name", "equals", "Ann"),
    ],
)
def test_a_known_or_possible_value_does_not_warn(customers: Service, rule: Any) -> None:
    assert found(customers, rule) == ([], [])


@pytest.mark.parametrize(
    ("rule", "field", "value", "nearest", "warning"),
    [
        (
            asks(NAME, "equals", "vip_costumers"),
            NAME,
            "vip_costumers",
            "vip_customers",
            f"{NONE_HAS} the name 'vip_costumers'; the closest is 'vip_customers'",
        ),
        (
            asks(NAME, "equals", "VIP_CUSTOMERS"),
            NAME,
            "VIP_CUSTOMERS",
            "vip_customers",
            f"{NONE_HAS} the name 'VIP_CUSTOMERS'; the closest is 'vip_customers'",
        ),
        (
            asks(NAME, "equals", "VIP Customers"),
            NAME,
            "VIP Customers",
            "vip_customers",
            "'VIP Customers' is the title of an audience; records carry its name 'vip_customers'",
        ),
        (
            asks("Segment Engage Audience ID", "equals", "VIP Customers"),
            ID,
            "VIP Customers",
            "aud_local_vip",
            "'VIP Customers' is the title of an audience; records carry its id 'aud_local_vip'",
        ),
        (
            asks(NAME, "equals", "aud_lapsed"),
            NAME,
            "aud_lapsed",
            "lapsed_buyers",
            "'aud_lapsed' is the id of an audience; records carry its name 'lapsed_buyers'",
        ),
        (
            asks(ID, "equals", "lapsed_buyers"),
            ID,
            "lapsed_buyers",
            "aud_lapsed",
            "'lapsed_buyers' is the name of an audience; records carry its id 'aud_lapsed'",
        ),
        (
            asks(NAME, "equals", "Welcome Step"),
            NAME,
            "Welcome Step",
            "welcome_step",
            "'Welcome Step' is the title of an audience; records carry its name 'welcome_step'",
        ),
        (
            asks(NAME, "not_equals", "crm_lists"),
            NAME,
            "crm_lists",
            "crm_list",
            f"{NONE_HAS} the name 'crm_lists'; the closest is 'crm_list'",
        ),
        # Of another advertiser.
        (
            asks(ID, "equals", "aud_other"),
            ID,
            "aud_other",
            "aud_crm",
            f"{NONE_HAS} the id 'aud_other'; the closest is 'aud_crm'",
        ),
        (
            asks(NAME, "equals", 7),
            NAME,
            "7",
            None,
            f"{NONE_HAS} the name '7'; known: 'vip_customers', 'lapsed_buyers', 'welcome_step', 'crm_list'",
        ),
        (
            asks(ID, "starts_with", "vip"),
            ID,
            "vip",
            None,
            f"{NONE_HAS} an id that starts with 'vip'; known: 'aud_local_vip', 'aud_lapsed', 'welcome_step', 'aud_crm'",
        ),
        (
            asks(NAME, "contains", "Crm_list"),
            NAME,
            "Crm_list",
            "crm_list",
            f"{NONE_HAS} a name that contains 'Crm_list'; the closest is 'crm_list'",
        ),
        (
            asks("marketing_status", "equals", "OPT_IN"),
            "marketing_status",
            "OPT_IN",
            "OPTED_IN",
            "'OPT_IN' is no marketing status; the closest is 'OPTED_IN'",
        ),
        (
            asks("marketing_status", "one_of", ["OPTED_IN", "yes"]),
            "marketing_status",
            "yes",
            None,
            "'yes' is no marketing status; known: OPTED_IN, OPTED_OUT, INDETERMINATE, PROSPECT, SUPPRESSED",
        ),
    ],
)
def test_an_unknown_value_warns_with_the_closest_one(
    customers: Service, rule: Any, field: str, value: str, nearest: str | None, warning: str
) -> None:
    assert found(customers, rule) == ([f"rule.value: {warning}"], [("rule.value", field, value, nearest)])


def test_each_place_of_a_rule_is_judged(customers: Service) -> None:
    rule = {"all": [asks(NAME, "equals", "vip_customers"), {"not": asks(ID, "one_of", ["aud_crm", "aud_crn"])}]}
    warnings, values = found(customers, rule)
    assert warnings == [f"rule.all[1].not.value: {NONE_HAS} the id 'aud_crn'; the closest is 'aud_crm'"]
    assert values == [("rule.all[1].not.value", ID, "aud_crn", "aud_crm")]


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        (asks("tier", "equals", "gold"), "rule.value: no profile has the tier 'gold'; the closest is 'Gold'"),
        (asks("tier", "not_equals", "Gould"), "rule.value: no profile has the tier 'Gould'; the closest is 'Gold'"),
        (asks("tags", "one_of", ["vip", "nev"]), "rule.value: no profile has the tags 'nev'; the closest is 'new'"),
        (asks("Tier", "exists"), "rule.field: no mapping declares the property 'Tier'; the closest field is 'tier'"),
        (
            asks("External Audience Nme", "exists"),
            (
                "rule.field: no mapping declares the property 'External Audience Nme'; "
                "the closest field is 'external_audience_name'"
            ),
        ),
    ],
)
def test_a_property_warns_only_where_there_is_a_similar_one(customers: Service, rule: Any, warning: str) -> None:
    assert found(customers, rule) == ([warning], [])


def test_a_value_of_a_record_that_is_not_processed_is_known(make_service: Make) -> None:
    service = make_service(latency="1h")
    assert found(service, asks(NAME, "equals", "crm_list"))[1] != []
    service.upsert(record("ann@example.com", tier="other"))
    assert found(service, asks(NAME, "equals", "crm_list")) == ([], [])
    # As a property it is no audience.
    assert found(service, asks(NAME, "equals", "other"))[1] != []


@pytest.mark.parametrize("data", [{"email": "x"}, {"email": None}])
def test_a_value_of_a_rejected_record_is_known(service: Service, data: dict[str, Any]) -> None:
    service.sync({**record("ann@example.com"), **data})
    assert service.outcomes()[0][0] == "rejected"
    assert found(service, asks(ID, "equals", "aud_crm")) == ([], [])


@pytest.mark.parametrize(
    "label",
    [
        "Segment Engage Audience Name",
        "External Audience Name",
        "external audience name",
        "external_audience_name",
        "segment_engage_audience_name",
        "SEGMENT ENGAGE AUDIENCE NAME",
        " Segment  Engage Audience-Name ",
        "segment_engage audience\tname",
    ],
)
def test_the_captions_of_both_generations_are_fields(customers: Service, label: str) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", asks(label, "equals", "crm_list"))
    assert (segment["members"], segment["warnings"]) == (["ann@example.com"], [])


@pytest.mark.parametrize("label", ["Segment Engage Audience ID", "External Audience ID", "segment engage audience id"])
def test_the_captions_of_ids_are_fields(customers: Service, label: str) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", asks(label, "equals", "aud_crm"))
    assert (segment["members"], segment["warnings"]) == (["ann@example.com"], [])


@pytest.mark.parametrize(
    ("caption", "value"),
    [("Email", "ann@example.com"), ("EMAIL", "ann@example.com"), ("Marketing Status", "OPTED_IN")],
)
def test_the_captions_of_other_fields_are_fields(customers: Service, caption: str, value: str) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", asks(caption, "equals", value))
    assert "ann@example.com" in segment["members"]
    assert segment["warnings"] == []


@pytest.mark.parametrize("key", ["email address", "Tier", "marketing status code"])
def test_a_property_is_found_by_its_exact_key_only(customers: Service, key: str) -> None:
    segment = customers.stackadapt.segments.create("1001", "x", asks(key, "exists"))
    assert segment["members"] == []


def test_a_rule_with_many_values_is_looked_through_in_part(customers: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for a value reads all profiles or records, so that the work must not grow with the number of values."""
    looked: list[str] = []
    monkeypatch.setattr(KnownValues, "_in_a_record", lambda _self, value: bool(looked.append(value)))
    many = [f"unknown-{number}" for number in range(4_000)]
    warnings, values = found(customers, {"any": [asks(ID, "one_of", many), asks("tier", "one_of", ["Gold", *many])]})
    assert len(values) == MOST_LOOKED_UP
    assert (
        warnings[-1]
        == f"rule: {8_000 - MOST_LOOKED_UP} more values are not known at once; only the first 20 were looked for"
    )
    assert len(looked) == 2 * MOST_LOOKED_UP
