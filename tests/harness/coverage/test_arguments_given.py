"""The arguments of the fields that requests select: which there are, and which were given."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import FieldNode, GraphQLSchema, build_schema

from emulator.harness.coverage.arguments_given import (
    MOST_VALUES,
    arguments_given,
    arguments_of,
    fields_with_arguments,
)
from emulator.stackadapt.graphql.document import chosen_operation, parse_document, root_fields
from emulator.stackadapt.limits import Limits

SCHEMA = build_schema(
    """
    type Query { thing(id: ID!, by: By, tags: [String], sizes: [[Size]], any: JSON): Thing  node: Node }
    input By { name: String, size: Size, of: By, all: [Part!], long: Long }
    input Part { size: Size, count: Int }
    enum Size { S M }
    enum Long { LONG }
    scalar JSON
    interface Node { id: ID }
    type Thing implements Node { id(form: Size): ID  parts(first: Int): [Part2]  self: Thing }
    type Part2 { name(short: Boolean): String }
    """.replace("LONG", " ".join(f"V{number}" for number in range(MOST_VALUES + 1)))
)
OF_THING = [
    "id",
    "by.name",
    "by.size = S",
    "by.size = M",
    # A type within itself, and an enum whose values are data.
    "by.of",
    "by.all.size = S",
    "by.all.size = M",
    "by.all.count",
    "by.long",
    "tags",
    "sizes = S",
    "sizes = M",
    "any",
]


def root_of(document: str, schema: GraphQLSchema = SCHEMA) -> tuple[FieldNode, Any, Any]:
    parsed = parse_document(document, Limits())
    [node] = root_fields(parsed, chosen_operation(parsed, None))
    assert schema.query_type is not None
    return node, schema.query_type.fields[node.name.value], parsed


def test_the_arguments_of_a_field_are_its_values_at_any_depth() -> None:
    _, field, _ = root_of("{ thing(id: 1) { id } }")
    assert [*arguments_of(field)] == OF_THING


DEEP: list[Any] = []
for _ in range(500):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("literal", "variables", "given"),
    [
        ("id: 1", {}, ["id"]),
        ("id: $a", {"a": "1"}, ["id"]),
        ("id: $a", {}, []),
        ('by: {name: "x", size: S}', {}, ["by.name", "by.size = S"]),
        ("by: $a", {"a": {"name": "x", "size": "M"}}, ["by.name", "by.size = M"]),
        ("by: {name: $a, size: $b}", {"b": "S"}, ["by.size = S"]),
        ("by: {all: [{size: S}, {size: M, count: 1}]}", {}, ["by.all.size = S", "by.all.size = M", "by.all.count"]),
        # One item is a list of it.
        ("by: {all: {count: 1}}", {}, ["by.all.count"]),
        ("by: {of: {name: 1}, long: V1}", {}, ["by.of", "by.long"]),
        ("tags: []", {}, ["tags"]),
        ("sizes: [[S], [M]]", {}, ["sizes = S", "sizes = M"]),
        ("sizes: $a", {"a": "S"}, ["sizes = S"]),
        ("any: {a: [1]}", {}, ["any"]),
        ("id: null", {}, ["id"]),
        ("by: null", {}, []),
        # What the schema does not have, or has otherwise, is nothing.
        ("none: 1", {}, []),
        ("by: {none: 1, size: XL}", {}, []),
        ("by: 5", {}, []),
        ("by: $a", {"a": [{"name": "x"}]}, []),
        ("sizes: $a", {"a": DEEP}, []),
        ("by: $a", {"a": {"size": 5, "all": DEEP}}, []),
    ],
)
def test_an_argument_is_given_where_a_request_has_a_value(literal: str, variables: Any, given: list[str]) -> None:
    node, field, _ = root_of(f"{{ thing({literal}) {{ id }} }}")
    found = [*arguments_given(node, field, variables)]
    assert found == given
    assert {*found} <= {*OF_THING}


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ("{ thing { id } }", ["Thing.id"]),
        ("{ thing { parts { name } } }", ["Thing.parts", "Part2.name"]),
        ("{ thing { self { self { parts { __typename } } } none } }", ["Thing.parts"]),
        ("{ node { ... on Thing { parts { name } } } }", ["Thing.parts", "Part2.name"]),
        ("{ node { id } }", []),
        # Not valid, and read all the same.
        ("{ thing { ...f } } fragment f on Thing { id self { ...f } }", ["Thing.id"]),
    ],
)
def test_the_fields_inside_of_a_field_are_named_by_their_type(document: str, names: list[str]) -> None:
    node, field, parsed = root_of(document)
    assert [name for name, _, _ in fields_with_arguments(SCHEMA, parsed, node, field)] == names
