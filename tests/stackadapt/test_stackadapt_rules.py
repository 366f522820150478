"""The pure rules: emails, values, providers, mappings, marketing status, latency, codes, segment rule fields."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from graphql import GraphQLError, parse, print_ast
from hypothesis import given
from hypothesis import strategies as st

from emulator.artefacts import contract
from emulator.ids import Ids
from emulator.stackadapt.graphql.document import parse_document
from emulator.stackadapt.ingestion.jobs import latency_of
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.rules import emails, outcomes
from emulator.stackadapt.rules.emails import read_email
from emulator.stackadapt.rules.mapping_columns import MalformedMapping, column_of, columns_of_input, columns_of_text
from emulator.stackadapt.rules.providers import provider_key, source_of
from emulator.stackadapt.rules.records import (
    ParsedRecord,
    conflicts,
    merged,
    outcome_of,
    record_mapping_of,
    status_after,
    status_brought_by,
)
from emulator.stackadapt.rules.segment_rules import FIELDS, OPERATORS, VALUE_KINDS, parse_rule
from emulator.stackadapt.rules.values import read_value
from emulator.text import is_storable


@pytest.mark.parametrize(
    "email",
    [
        "a@b.io",
        "first.last+tag@sub.example.co.uk",
        "o'hara_{x}!#$%&*-/=?^`|~@example.com",
        "üñï@exämple.de",
        "1@1.a1",
        "a@b-c.d--e.io",
        "a" * 64 + "@" + "b" * 100 + "." + "c" * 85 + ".io",
    ],
)
def test_valid_emails(email: str) -> None:
    assert read_email(email) == (email, None)


@pytest.mark.parametrize(
    "email",
    [
        "a",
        "@b.io",
        "a@",
        "a@b",
        "a@b.",
        "a@.io",
        "a@b..io",
        ".a@b.io",
        "a.@b.io",
        "a..b@c.io",
        "a b@c.io",
        "a@b c.io",
        "a@@b.io",
        "a@b@c.io",
        "a@-b.io",
        "a@b-.io",
        "a@b.12",
        "a@b_c.io",
        "Ann <a@b.io>",
        "a@b.io,c@d.io",
        "a@b.io\x00",
        "a" * 65 + "@b.io",
        "a@" + "b" * 250 + ".io",
        ["a@b.io"],
        True,
    ],
)
def test_invalid_emails(email: Any) -> None:
    assert read_email(email) == (None, "INVALID_EMAIL")


@pytest.mark.parametrize("email", [None, "", " \t"])
def test_missing_emails(email: Any) -> None:
    assert read_email(email) == (None, "MISSING_EMAIL")


@pytest.mark.parametrize(
    ("data_type", "value", "kept"),
    [
        ("STRING", "x", "x"),
        ("STRING", "", ""),
        ("STRING", 12.5, "12.5"),
        ("STRING", True, "true"),
        ("STRING", "a\x00", None),
        ("STRING", "\udc00", None),
        ("STRING", {"a": 1}, None),
        ("STRING", ["a"], None),
        ("COUNTRY", "CA", "CA"),
        ("NUMBER", 5, 5),
        ("NUMBER", "12.50", 12.5),
        ("NUMBER", " -3e2 ", -300),
        ("NUMBER", ".5", 0.5),
        ("NUMBER", 2**80, float(2**80)),
        ("NUMBER", 10**400, None),
        ("NUMBER", "1e999", None),
        ("NUMBER", "", None),
        ("NUMBER", "1,000", None),
        ("NUMBER", "1_000", None),
        ("NUMBER", "nan", None),
        ("NUMBER", "٣", None),
        ("NUMBER", True, None),
        ("BOOLEAN", True, True),
        ("BOOLEAN", " TRUE ", True),
        ("BOOLEAN", "0", False),
        ("BOOLEAN", 1, True),
        ("BOOLEAN", 2, None),
        ("BOOLEAN", "yes", None),
        ("DATE", "1990-06-15", "1990-06-15"),
        ("DATE", "1990-06-15T23:30:00+02:00", "1990-06-15"),
        ("DATE", "6/5/1990", "1990-06-05"),
        ("DATE", "12-31-1990", "1990-12-31"),
        ("DATE", "2020-02-31", None),
        ("DATE", "0000-01-01", None),
        ("DATE", "13/1/2020", None),
        ("DATE", "1/2-2020", None),
        ("DATE", 19900615, None),
        ("DATETIME", "1990-06-15", "1990-06-15T00:00:00.000Z"),
        ("DATETIME", "1990-06-15 10:00", "1990-06-15T10:00:00.000Z"),
        ("DATETIME", "1990-06-15T10:00:00.5+0200", "1990-06-15T08:00:00.500Z"),
        ("DATETIME", "1990-06-15T25:00:00Z", None),
        ("DATETIME", "0001-01-01T00:00:00+10:00", None),
        ("DATETIME", "soon", None),
        ("STRING_LIST", ["a", 1, "a"], ["a", "1"]),
        ("STRING_LIST", "a", ["a"]),
        ("STRING_LIST", [], []),
        ("STRING_LIST", ["a", []], None),
        ("INFERRED", 5, 5),
        ("INFERRED", False, False),
        ("INFERRED", "5", "5"),
        ("INFERRED", ["x"], ["x"]),
        ("INFERRED", {}, None),
    ],
)
def test_values_are_read_by_their_declared_type(data_type: str, value: Any, kept: Any) -> None:
    read = read_value(value, data_type)
    found = read.content if read else None
    assert found == kept
    assert type(found) is type(kept)


def test_an_enumeration_accepts_its_choices_only() -> None:
    choices = frozenset({"g", "s"})
    assert read_value("g", "ENUMERATION", choices) is not None
    assert read_value("x", "ENUMERATION", choices) is None
    assert read_value("x", "ENUMERATION") is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(json_values, st.sampled_from(["STRING", "NUMBER", "BOOLEAN", "DATE", "DATETIME", "STRING_LIST", "INFERRED"]))
def test_a_read_value_can_be_stored_and_read_again_unchanged(value: Any, data_type: str) -> None:
    read = read_value(value, data_type)
    if read is not None:
        json.dumps(read.content, allow_nan=False).encode()
        assert read_value(read.content, data_type) == read


def test_a_property_has_one_kind_at_a_time() -> None:
    assert merged({"text:a": "1", "text:b": "2"}, {"number:a": 1}) == {"text:b": "2", "number:a": 1}


@pytest.mark.parametrize(
    ("email", "email_reason", "known", "suppressed", "expected"),
    [
        ("a@b.io", None, False, False, ("visible", None)),
        ("a@b.io", None, True, True, ("suppressed", "SUPPRESSED")),
        (None, "MISSING_EMAIL", True, False, ("visible", None)),
        (None, "MISSING_EMAIL", False, False, ("rejected", "MISSING_EMAIL")),
        (None, "INVALID_EMAIL", True, False, ("rejected", "INVALID_EMAIL")),
        (None, "INVALID_EMAIL", False, False, ("rejected", "INVALID_EMAIL")),
    ],
)
def test_a_known_external_id_replaces_a_missing_email_but_not_an_invalid_one(
    email: str | None, email_reason: str | None, known: bool, suppressed: bool, expected: tuple[str, str | None]
) -> None:
    record = ParsedRecord(email=email, email_reason=email_reason, external_id="u1")
    for waits in (False, True):
        assert outcome_of(record, profile_known=known, suppressed=suppressed, waits=waits) == expected


@pytest.mark.parametrize(
    ("email", "owner", "status", "present", "expected"),
    [
        ("a@b.io", None, "OPTED_IN", None, []),
        ("a@b.io", "a@b.io", "OPTED_IN", "INDETERMINATE", []),
        (None, "c@b.io", "OPTED_IN", "OPTED_IN", []),
        ("a@b.io", "c@b.io", "OPTED_IN", None, [{"code": "EXTERNAL_ID_MOVED", "key": "userId", "from": "c@b.io"}]),
        (
            "a@b.io",
            None,
            "OPTED_IN",
            "OPTED_OUT",
            [{"code": "STATUS_KEPT", "key": "marketing_status", "status": "OPTED_OUT"}],
        ),
        (
            None,
            "c@b.io",
            "OPTED_IN",
            "SUPPRESSED",
            [{"code": "STATUS_KEPT", "key": "marketing_status", "status": "SUPPRESSED"}],
        ),
        ("a@b.io", None, "INDETERMINATE", "OPTED_OUT", []),
    ],
)
def test_what_a_record_takes_or_leaves_unchanged_is_a_warning(
    email: str | None, owner: str | None, status: str, present: str | None, expected: list[dict[str, str]]
) -> None:
    mapping = record_mapping_of((), None, mapping_id=0, status=status)
    record = ParsedRecord(email=email, external_id="u1")
    assert conflicts(record, mapping, owner=owner, present=present) == expected


@pytest.mark.parametrize("text", ["x\x00", "\ud83d", "a\udfff"])
def test_some_text_cannot_be_stored(text: str) -> None:
    assert not is_storable(text)
    assert is_storable("😀é\x7f")


def test_providers_are_compared_without_case_and_underscores() -> None:
    assert {provider_key(name) for name in ("segmentio", "segment_io", " SEGMENT_IO ")} == {"segmentio"}
    assert source_of("hubspot", {"HUB_SPOT", "SHOPIFY"}) == "HUB_SPOT"
    assert source_of("tealium", {"HUB_SPOT"}) is None


@pytest.mark.parametrize("present", ["OPTED_OUT", "SUPPRESSED"])
@pytest.mark.parametrize("brought", ["OPTED_IN", "PROSPECT", "INDETERMINATE", None])
def test_an_opt_out_and_a_suppression_are_final(present: str, brought: str | None) -> None:
    assert status_after(present, brought) == present


@pytest.mark.parametrize(
    ("present", "brought", "left"),
    [
        ("PROSPECT", "OPTED_IN", "OPTED_IN"),
        ("PROSPECT", "INDETERMINATE", "PROSPECT"),
        ("OPTED_IN", "PROSPECT", "OPTED_IN"),
        ("INDETERMINATE", None, "INDETERMINATE"),
        (None, "PROSPECT", "PROSPECT"),
        (None, None, "INDETERMINATE"),
    ],
)
def test_only_opted_in_changes_the_status_of_a_known_profile(
    present: str | None, brought: str | None, left: str
) -> None:
    assert status_after(present, brought) == left


def test_is_opted_in_sets_a_status() -> None:
    assert [status_brought_by(value) for value in (True, False, None)] == ["OPTED_IN", "INDETERMINATE", "INDETERMINATE"]


def test_columns_round_trip_through_their_stored_form() -> None:
    columns = columns_of_input(
        [
            {
                "incomingKey": "a",
                "destinationKey": "b",
                "label": "B",
                "type": "ENUMERATION",
                "isPii": True,
                "value": "x",
                "options": [{"label": "X", "value": "x"}],
            },
            {"incomingKey": "c", "destinationKey": "d", "label": "D", "type": "DATE", "isPii": False},
        ]
    )
    assert [column_of(json.loads(json.dumps(column.as_dict()))) for column in columns] == columns


def test_the_mapping_string_of_2024_is_read_leniently() -> None:
    entries = [
        {"incoming_key": "a", "destination_key": "b", "label": "B", "data_type": "number", "is_pii": True},
        {"incoming_key": "c", "destination_key": "d", "type": "string"},
        {"incoming_key": "e", "destination_key": "f", "data_type": "object"},
    ]
    first, second, third = columns_of_text(json.dumps(entries), frozenset({"NUMBER", "STRING"}))
    assert (first.data_type, first.is_pii, first.label) == ("NUMBER", True, "B")
    assert (second.data_type, second.is_pii, second.label) == ("STRING", False, "d")
    assert third.data_type == "INFERRED"
    with pytest.raises(MalformedMapping, match="column 0 has no destination_key"):
        columns_of_text('[{"incoming_key": "a"}]', frozenset())


def test_latency_is_instant_a_duration_or_seeded_within_four_hours() -> None:
    ids = Ids(seed=1)
    assert latency_of("instant", ids, "r") == timedelta()
    assert latency_of("90s", ids, "r") == timedelta(seconds=90)
    drawn = [latency_of("realistic", ids, str(number)) for number in range(50)]
    assert drawn == [latency_of("realistic", Ids(seed=1), str(number)) for number in range(50)]
    assert timedelta() <= min(drawn) < timedelta(hours=1)
    assert timedelta(hours=3) < max(drawn) < timedelta(hours=4)


# What the quotes of a GraphQL string can enclose, and what they cannot.
pieces = ["a", "é", "😀", " ", "'", "\t", "\x01", "\x7f", "\\\\", '\\"', "\\n", "\\/", "\\u0041", "\\u{1F600}"]
broken_pieces = ["a", '"', "\\", "\n", "\\x", "\\u12", "\ud800", "{", "}"]
strings = st.lists(st.sampled_from(pieces)).map("".join)
broken = st.lists(st.sampled_from(broken_pieces)).map("".join)


def outcome(read: Any, text: str) -> str:
    try:
        return str(print_ast(read(text)))
    except GraphQLError as error:
        return f"{error.message} {error.locations}"


@given(strings | broken)
def test_the_fast_lexer_reads_exactly_what_the_library_reads(inside: str) -> None:
    text = '{ a(b: "' + inside + '", c: """x""", d: "") }'
    assert outcome(lambda source: parse_document(source, Limits()), text) == outcome(parse, text)


def test_the_contract_explains_every_outcome_and_code_that_the_rules_use() -> None:
    written = yaml.safe_load(contract("reason-codes.yaml").read_text(encoding="utf-8"))
    used = {emails.MISSING_EMAIL, emails.INVALID_EMAIL} | {
        value for name, value in vars(outcomes).items() if name.isupper() and isinstance(value, str)
    }
    rows = [*written["reasons"], *written["warnings"]]
    assert used == {*written["outcomes"], *(row["code"] for row in rows)}
    assert all(row["meaning"] and row["fix"] for row in rows)
    assert {row["outcome"] for row in written["reasons"]} <= written["outcomes"].keys()


def test_the_documented_fields_and_operators_of_a_rule_can_be_used() -> None:
    assert {operator.value for operator in OPERATORS.values()} == VALUE_KINDS.keys()
    for field in FIELDS:
        assert field.example["operator"] in field.operators
        assert set(field.operators) <= OPERATORS.keys()
        parse_rule(field.example)


@pytest.mark.parametrize("document", ["# comment\n" * 4 + "{ a }", "{ a b }", "{ a # one\n b }"])
def test_tokens_and_comments_are_limited_each(document: str) -> None:
    parse_document(document, Limits(tokens=4))
    with pytest.raises(GraphQLError, match="Document contains more than 3 tokens"):
        parse_document(document.replace("{ a }", "{ aa bb }"), Limits(tokens=3))
