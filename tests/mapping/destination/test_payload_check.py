"""Conversion and validation of payloads, and the messages of violations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.mapping import load_definition, newest
from emulator.mapping.javascript.values import UNDEFINED
from emulator.mapping.schema import PayloadCheck, Violation
from emulator.mapping.schema.json_schema import compile_fast_check

CHECK = PayloadCheck(load_definition(newest()).actions["forwardAudienceEvent"].fields)
SETTINGS = PayloadCheck(load_definition(newest()).settings)


def accepted(resolved: object, *, batch: bool = False) -> dict[str, Any]:
    checked = CHECK.payload(resolved, batch=batch)
    assert not isinstance(checked, Violation), checked
    return checked


def violation(resolved: object, *, batch: bool = False) -> str:
    checked = CHECK.payload(resolved, batch=batch)
    assert isinstance(checked, Violation)
    return checked.message


def test_a_valid_payload_is_not_copied(payload: dict[str, Any]) -> None:
    assert CHECK.payload(payload, batch=True) is payload


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [(5, "5"), (1.0, "1"), (1e21, "1e+21"), (True, "true"), (["x"], "x"), ([5], "5"), ([None], ""), ("", "")],
)
def test_string_fields_accept_scalars_and_arrays_of_one(
    payload: dict[str, Any], given_value: object, kept: str
) -> None:
    assert accepted({**payload, "user_id": given_value}, batch=True)["user_id"] == kept


@pytest.mark.parametrize(
    ("given_value", "found"), [({}, "object"), ([], "array"), ([[5]], "array"), (["a", "b"], "array"), ([{}], "object")]
)
def test_string_fields_reject_other_values(payload: dict[str, Any], given_value: object, found: str) -> None:
    expected = f"Segment User ID must be a string but it was an {found}."
    assert violation({**payload, "user_id": given_value}) == expected


@pytest.mark.parametrize(
    ("given_value", "kept"), [("true", True), ("false", False), (1, True), (0, False), ([True], True), (["0"], None)]
)
def test_boolean_fields_accept_unambiguous_values(
    payload: dict[str, Any], given_value: object, kept: bool | None
) -> None:
    checked = CHECK.payload({**payload, "enable_batching": given_value}, batch=False)
    if kept is None:
        assert checked == Violation("Batch Profiles must be a boolean but it was a string.")
    else:
        assert isinstance(checked, dict)
        assert checked["enable_batching"] is kept


def test_null_and_unknown_members_are_removed(payload: dict[str, Any]) -> None:
    standard = {"first_name": None, "last_name": "", "nickname": "x", "city": 5}
    kept = accepted({**payload, "user_id": None, "junk": 1, "standard_traits": standard})
    assert kept["standard_traits"] == {"last_name": "", "city": "5"}
    assert not {"user_id", "junk"} & kept.keys()


def test_objects_without_declared_members_are_unchanged(payload: dict[str, Any]) -> None:
    properties = {"a": None, "b": "", "c": [None], "d": {"e": None}}
    assert accepted({**payload, "traits_or_props": properties})["traits_or_props"] == properties


def test_an_empty_string_at_the_root_is_removed_from_an_event_but_stays_in_a_batch(payload: dict[str, Any]) -> None:
    assert "user_id" not in accepted({**payload, "user_id": ""})
    assert accepted({**payload, "user_id": ""}, batch=True)["user_id"] == ""


@pytest.mark.parametrize(
    ("name", "single", "batched"),
    [
        (
            "email",
            "The root value is missing the required field 'email'.",
            "Email must be a valid email address string but it was not.",
        ),
        (
            "marketing_status",
            "The root value is missing the required field 'marketing_status'.",
            'Marketing Status must be one of: "Opted-in" or "Indeterminate".',
        ),
        (
            "traits_or_props",
            "The root value is missing the required field 'traits_or_props'.",
            "The root value is missing the required field 'traits_or_props'.",
        ),
    ],
)
def test_an_empty_string_has_another_message_in_a_batch(
    payload: dict[str, Any], name: str, single: str, batched: str
) -> None:
    assert violation({**payload, name: ""}) == single
    assert violation({**payload, name: ""}, batch=True) == batched


def test_violations_are_in_the_order_of_the_engine(payload: dict[str, Any]) -> None:
    broken = {
        **payload,
        "standard_traits": {"birth_date": "2023-02-29"},
        "user_id": {},
        "marketing_status": "yes",
        "event_type": None,
        "email": None,
    }
    assert violation(broken) == (
        "The root value is missing the required field 'event_type'. "
        "The root value is missing the required field 'email'. "
        "Birth Date must be a valid date string but it was not. "
        "Segment User ID must be a string but it was an object. "
        'Marketing Status must be one of: "Opted-in" or "Indeterminate".'
    )


def test_a_choice_of_the_wrong_type_has_two_violations(payload: dict[str, Any]) -> None:
    assert violation({**payload, "marketing_status": {}}) == (
        "Marketing Status must be a string but it was an object. "
        'Marketing Status must be one of: "Opted-in" or "Indeterminate".'
    )


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([5], "The value at /custom_user_properties/0 must be an object but it was a number."),
        ("x", "The value at /custom_user_properties/0 must be an object but it was a string."),
        ([{"name": "a"}], "The value at /custom_user_properties/0 is missing the required field 'type'."),
        ([{"name": "a", "type": "TEXT"}], 'Type must be one of: "STRING", "NUMBER", "BOOLEAN", or "DATE".'),
        ([{"type": "STRING"}, None], "The value at /custom_user_properties/0 is missing the required field 'name'."),
    ],
)
def test_violations_of_array_items_have_their_path(payload: dict[str, Any], items: object, expected: str) -> None:
    assert violation({**payload, "custom_user_properties": items}) == expected


def test_a_single_object_becomes_an_array_of_one(payload: dict[str, Any]) -> None:
    item = {"name": "plan", "type": "STRING", "value": 5, "extra": True}
    kept = accepted({**payload, "custom_user_properties": item})
    assert kept["custom_user_properties"] == [{"name": "plan", "type": "STRING", "value": "5"}]


@pytest.mark.parametrize(("root", "found"), [(UNDEFINED, "undefined"), (None, "null"), ("x", "a string")])
def test_a_root_that_is_not_an_object_is_invalid(root: object, found: str) -> None:
    assert violation(root) == f"The root value must be an object but it was {found}."


def test_the_secrets_of_an_authentication_are_not_removed(payload: dict[str, Any]) -> None:
    assert accepted({**payload, "dynamicAuthSettings": {"a": None}})["dynamicAuthSettings"] == {"a": None}


def test_settings_are_converted_but_keep_empty_values() -> None:
    given_settings = {"apiKey": None, "advertiser_id": 23, "other": 1}
    assert SETTINGS.settings(given_settings) == {"apiKey": "", "advertiser_id": "23"}
    assert SETTINGS.settings({}) == Violation(
        "The root value is missing the required field 'apiKey'. "
        "The root value is missing the required field 'advertiser_id'."
    )


@pytest.mark.parametrize(
    "address", ["a@b.com", "A@B.COM", "a+tag@b.co", "o'b@c.com", "a@127.0.0.1", "a@b.c-d", "a!#$%&*b@c.com", "a@b.1"]
)
def test_an_email_address_is_valid(payload: dict[str, Any], address: str) -> None:
    assert accepted({**payload, "email": address})["email"] == address


@pytest.mark.parametrize(
    "address",
    [
        "a",
        "a@b",
        "a@b..com",
        ".a@b.com",
        "a@-b.com",
        "a@b_c.com",
        "a@b.com\n",
        " a@b.com",
        "é@b.com",
        "\u212a@b.com",
        "a@b@c.com",
    ],
)
def test_an_email_address_is_invalid(payload: dict[str, Any], address: str) -> None:
    assert violation({**payload, "email": address}) == "Email must be a valid email address string but it was not."


@pytest.mark.parametrize("date", ["2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"])
def test_a_calendar_date_is_valid(payload: dict[str, Any], date: str) -> None:
    assert accepted({**payload, "standard_traits": {"birth_date": date}})["standard_traits"] == {"birth_date": date}


@pytest.mark.parametrize(
    "date",
    ["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-1-1", "1990-06-15T00:00:00Z", "２024-01-01", ""],
)
def test_a_calendar_date_is_invalid(payload: dict[str, Any], date: str) -> None:
    expected = "Birth Date must be a valid date string but it was not."
    assert violation({**payload, "standard_traits": {"birth_date": date}}) == expected


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.sampled_from(["v2", "a@b.com", "1990-06-15"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
)
STRINGS = st.text(max_size=3) | st.sampled_from(["a@b.com", "a@b", "1990-06-15", "1990-02-30", "\n", "A@b.co\n"])


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that mostly fit: few of any kind do, so that nearly all draws would be thrown away."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(fitting(schema["items"]), max_size=2)
    if "properties" in schema:
        members = {name: fitting(member) for name, member in schema["properties"].items()}
        required = {name: members.pop(name) for name in schema["required"]}
        return st.fixed_dictionaries(required, optional=members)
    if schema["type"] == "object":
        return st.dictionaries(st.text(max_size=2), VALUES, max_size=2)
    formats = {"email": st.sampled_from(["a@b.com", "A+b@c.d-e.org"]), "date": st.sampled_from(["1990-06-15"])}
    return st.booleans() if schema["type"] == "boolean" else formats.get(schema.get("format", ""), STRINGS) | STRINGS


ANY = st.dictionaries(st.sampled_from(sorted(CHECK.schema["properties"])), VALUES, max_size=2)
WITHOUT_REQUIRED = {**CHECK.schema, "required": []}
MEMBERS = st.builds(lambda fits, any_kind: {**fits, **any_kind}, fitting(WITHOUT_REQUIRED), ANY)
FAST_CHECK, VALIDATOR = compile_fast_check(WITHOUT_REQUIRED), Draft202012Validator(WITHOUT_REQUIRED)


@example(members={}, batch=False)
@given(members=MEMBERS, batch=st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_a_checked_payload_is_valid_unchanged(members: dict[str, Any], batch: bool) -> None:
    whole = {
        "event_type": "track",
        "marketing_status": "Opted-in",
        "enable_batching": True,
        "traits_or_props": {},
        "segment_computation_class": "audience",
        "segment_computation_id": "aud_1",
        "segment_computation_key": "vip",
        "email": "a@b.com",
    }
    checked = CHECK.payload({**whole, **members}, batch=batch)
    assume(isinstance(checked, dict) or not members)
    assert CHECK.payload(checked, batch=True) == checked


@example(members={"email": "a@b.com"})
@given(members=MEMBERS)
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_the_fast_check_passes_only_valid_payloads(members: dict[str, Any]) -> None:
    assume(FAST_CHECK(members) or members == {"email": "a@b.com"})
    assert not list(VALIDATOR.iter_errors(members))
