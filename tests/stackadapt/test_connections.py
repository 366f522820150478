"""Relay pages: forward and backward, whatever is written between two of them."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from emulator.stackadapt.relay import CursorOrder, connection, cursor_of, place_of

UP: CursorOrder[int] = CursorOrder(name="numbers", place=lambda number: (number,))
DOWN: CursorOrder[int] = CursorOrder(name="numbers", place=lambda number: (number,), descending=True)

places = st.lists(st.one_of(st.integers(), st.text()), min_size=1, max_size=3).map(tuple)
numbers = st.sets(st.integers(0, 30))
listings = st.sampled_from([UP, DOWN])


@given(st.text(), places)
def test_a_cursor_gives_its_place_back_in_its_own_list_only(name: str, place: Any) -> None:
    assert place_of(name, cursor_of(name, place)) == place
    with pytest.raises(GraphQLError):
        place_of(name + "!", cursor_of(name, place))


@given(
    numbers,
    listings,
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
def test_a_page_is_what_its_arguments_say(items: set[int], listing: CursorOrder[int], page: dict[str, Any]) -> None:
    ordered = sorted(items, reverse=listing.descending)
    sign = -1 if listing.descending else 1
    after, before = (place_of("numbers", page[name])[0] if name in page else None for name in ("after", "before"))
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
    answer = connection(sorted(items), page, listing)
    assert answer["nodes"] == expected
    assert answer["totalCount"] == len(items)
    assert [edge["node"] for edge in answer["edges"]] == expected


@given(numbers, numbers, numbers, listings, st.integers(1, 5), st.booleans())
def test_nothing_is_shown_twice_or_left_out_when_the_list_changes_between_pages(
    stay: set[int], go: set[int], come: set[int], listing: CursorOrder[int], size: int, backward: bool
) -> None:
    items = stay | go
    seen: list[int] = []
    page: dict[str, Any] = {"last": size} if backward else {"first": size}
    while True:
        answer = connection(sorted(items), page, listing)
        seen = answer["nodes"] + seen if backward else seen + answer["nodes"]
        info = answer["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            break
        page |= {"before": info["startCursor"]} if backward else {"after": info["endCursor"]}
        items = stay | come
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
    assert seen == sorted(seen, reverse=listing.descending)


@pytest.mark.parametrize("cursor", ["!", "é", "bm9uZQ", "MQ", "W10", "WyJudW1iZXJzIl0", cursor_of("others", (1,))])
def test_what_was_never_given_out_is_no_cursor(cursor: str) -> None:
    with pytest.raises(GraphQLError, match="is not a cursor of this list"):
        connection([1, 2], {"after": cursor}, UP)


def test_a_cursor_of_the_right_list_and_the_wrong_shape_is_refused() -> None:
    with pytest.raises(GraphQLError, match="is not a cursor of this list"):
        connection([1, 2], {"after": cursor_of("numbers", ("a",))}, UP)


def test_a_page_without_a_size_has_a_hundred_items() -> None:
    answer = connection(range(300), {}, UP)
    assert answer["nodes"] == list(range(100))
    assert answer["pageInfo"]["hasNextPage"] is True
