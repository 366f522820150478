"""Relay pages: forward and backward, whatever is written between two of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLObjectType, get_named_type
from hypothesis import given
from hypothesis import strategies as st

from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema
from emulator.stackadapt.relay import CursorOrder, connection, cursor_of, position_of

UP: CursorOrder[int] = CursorOrder(name="numbers", position=lambda number: (number,))
DOWN: CursorOrder[int] = CursorOrder(name="numbers", position=lambda number: (number,), descending=True)

# What a store holds: 64 bits, and text without U+0000 and halves of surrogate pairs.
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
positions = st.lists(st.one_of(INTEGERS, TEXTS), min_size=1, max_size=3).map(tuple)
numbers = st.sets(st.integers(0, 30))
orders = st.sampled_from([UP, DOWN])


@given(st.text(), positions)
def test_a_cursor_has_its_position_in_its_own_list_only(name: str, position: Any) -> None:
    assert position_of(name, cursor_of(name, position)) == position
    with pytest.raises(GraphQLError):
        position_of(name + "!", cursor_of(name, position))


@pytest.mark.parametrize("element", [2**63, -(2**63) - 1, 10**40, "\x00", "a\ud800"])
def test_a_position_that_no_store_holds_has_no_cursor(element: Any) -> None:
    with pytest.raises((GraphQLError, UnicodeEncodeError)):
        position_of("numbers", cursor_of("numbers", (element,)))


@given(
    numbers,
    orders,
    st.fixed_dictionaries(
        {},
        optional={
            "first": st.integers(0, 12),
            "last": st.integers(0, 12),
            "after": st.integers(0, 30).map(lambda number: cursor_of("numbers", (number,))),
            "before": st.integers(0, 30).map(lambda number: cursor_of("numbers", (number,))),
        },
    ),
)
def test_a_page_has_the_items_that_its_arguments_select(
    items: set[int], order: CursorOrder[int], page: dict[str, Any]
) -> None:
    ordered = sorted(items, reverse=order.descending)
    sign = -1 if order.descending else 1
    after, before = (position_of("numbers", page[name])[0] if name in page else None for name in ("after", "before"))
    expected = [
        number
        for number in ordered
        if (after is None or sign * number > sign * int(after))
        and (before is None or sign * number < sign * int(before))
    ]
    if "first" in page:
        expected = expected[: page["first"]]
    if "last" in page:
        expected = expected[max(0, len(expected) - page["last"]) :]
    shown = connection(sorted(items), page, order)
    assert shown["nodes"] == expected
    assert shown["totalCount"] == len(items)
    assert [edge.node for edge in shown["edges"]] == expected


@given(numbers, numbers, numbers, orders, st.integers(1, 5), st.booleans())
def test_no_item_is_repeated_or_omitted_when_the_list_changes_between_pages(
    stay: set[int], go: set[int], come: set[int], order: CursorOrder[int], size: int, backward: bool
) -> None:
    items = stay | go
    seen: list[int] = []
    page: dict[str, Any] = {"last": size} if backward else {"first": size}
    while True:
        shown = connection(sorted(items), page, order)
        seen = shown["nodes"] + seen if backward else seen + shown["nodes"]
        info = shown["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            break
        page |= {"before": info["startCursor"]} if backward else {"after": info["endCursor"]}
        items = stay | come
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
    assert seen == sorted(seen, reverse=order.descending)


@pytest.mark.parametrize("cursor", ["!", "é", "bm9uZQ", "MQ", "W10", "WyJudW1iZXJzIl0", cursor_of("others", (1,))])
def test_a_string_that_is_not_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(GraphQLError, match="is not a cursor of this list"):
        connection([1, 2], {"after": cursor}, UP)


def test_a_cursor_with_a_position_of_another_type_is_refused() -> None:
    with pytest.raises(GraphQLError, match="is not a cursor of this list"):
        connection([1, 2], {"after": cursor_of("numbers", ("a",))}, UP)


@pytest.mark.parametrize("argument", ["first", "last"])
def test_a_negative_size_is_refused(argument: str) -> None:
    with pytest.raises(GraphQLError, match=argument):
        connection([1, 2, 3], {argument: -1}, UP)


def test_a_page_without_a_size_has_a_hundred_items() -> None:
    shown = connection(range(300), {}, UP)
    assert shown["nodes"] == list(range(100))
    assert shown["pageInfo"]["hasNextPage"] is True


@given(st.integers(0, 350), orders, st.sampled_from(["first", "last"]), st.integers(0, 2**31 - 1))
def test_a_page_has_at_most_a_hundred_items(count: int, order: CursorOrder[int], argument: str, size: int) -> None:
    shown = connection(range(count), {argument: size}, order)
    ordered = sorted(range(count), reverse=order.descending)
    expected = min(count, size, 100)
    assert shown["nodes"] == (ordered[:expected] if argument == "first" else ordered[count - expected :])
    assert shown["totalCount"] == count
    more = "hasNextPage" if argument == "first" else "hasPreviousPage"
    assert shown["pageInfo"][more] is (expected < count)


def connection_fields() -> Iterator[tuple[str, str]]:
    for api_version in API_VERSIONS:
        for type_name, graphql_type in executable_schema(api_version).type_map.items():
            if isinstance(graphql_type, GraphQLObjectType) and not type_name.startswith("__"):
                for name, field in graphql_type.fields.items():
                    if get_named_type(field.type).name.endswith("Connection"):
                        yield f"{api_version} {type_name}", name


@pytest.mark.parametrize(("owner", "name"), sorted(set(connection_fields())))
def test_every_connection_of_the_schema_has_such_pages(owner: str, name: str) -> None:
    api_version, type_name = owner.split()
    parent = executable_schema(api_version).type_map[type_name]
    assert isinstance(parent, GraphQLObjectType)
    field = parent.fields[name]
    assert {"first", "last", "after", "before"} <= set(field.args)
    assert field.resolve is not None
    # The one function that cuts pages.
    assert "connection" in inspect.unwrap(field.resolve).__code__.co_names
