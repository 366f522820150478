"""Batches of so many items and so many bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.harness.sized_batches import sized_batches


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], []),
        ([10], [[10]]),
        ([11, 1], [[11], [1]]),
        ([1, 11], [[1], [11]]),
        ([5, 5, 1], [[5, 5], [1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([0, 0, 0, 0], [[0, 0, 0], [0]]),
    ],
)
def test_a_batch_is_full_by_number_or_by_bytes(sizes: list[int], batches: list[list[int]]) -> None:
    assert [*sized_batches(sizes, int, most=3, most_bytes=10)] == batches


@settings(deadline=None)
@given(st.lists(st.integers(0, 15)))
def test_every_item_is_in_one_batch_and_no_batch_could_have_the_next_item(sizes: list[int]) -> None:
    batches = [*sized_batches(sizes, int, most=4, most_bytes=10)]
    assert [size for batch in batches for size in batch] == sizes
    assert all(len(batch) == 1 or (len(batch) <= 4 and sum(batch) <= 10) for batch in batches)
    for batch, following in pairwise(batches):
        assert len(batch) == 4 or sum(batch) + following[0] > 10
