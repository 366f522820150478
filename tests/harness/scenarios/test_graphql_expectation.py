"""The comparison of GraphQL responses with what a scenario expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.harness.scenarios import FAILED, Result
from emulator.harness.scenarios.expectations import agrees

Played = Callable[[str], Result]

SCENARIO = """
title: A scenario
about: A test.
shows: [kit-paths]
steps:
  - when:
      - graphql: {document}
    then:
      answers: {answers}
"""
USER = "'{ user { email } }'"
WRONG_FIELD = "'{ user { emial } }'"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"b": [1, {"c": 2, "d": 3}]}}, {"a": {"b": [1, {"c": 2}]}}),
        ([], []),
        (True, True),
        (1, 1.0),
        (None, None),
    ],
)
def test_the_expected_fields_agree(found: Any, expected: Any) -> None:
    assert agrees(found, expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"a": 1}, {"a": 2}),
        ({"b": 1}, {"a": 1}),
        ([], [1]),
        ([1], []),
        ([1, 2], [1]),
        ([1], [1, 2]),
        ([2, 1], [1, 2]),
        (1, True),
        (True, 1),
        (0, False),
        ("1", 1),
        ({}, []),
        ([], {}),
        (None, {"a": None}),
    ],
)
def test_a_different_value_does_not_agree(found: Any, expected: Any) -> None:
    assert not agrees(found, expected)


@pytest.mark.parametrize(
    ("document", "answers", "expected", "found"),
    [
        (USER, "[{status: 200}, {status: 200}]", "documents answered: 2", "1"),
        (USER, "[{status: 400}]", "status: 400", "200"),
        (USER, "[{data: {user: {email: eve@example.com}}}]", "eve@example.com", "integration@example.com"),
        (WRONG_FIELD, "[{data: null}]", "data containing null", "emial"),
        (USER, "[{errors: [Gone.]}]", 'errors: ["Gone."]', "[]"),
        (WRONG_FIELD, "[{errors: []}]", "errors: []", "emial"),
    ],
)
def test_a_different_response_fails(played: Played, document: str, answers: str, expected: str, found: str) -> None:
    result = played(SCENARIO.format(document=document, answers=answers))
    assert result.outcome == FAILED
    assert any(expected in check.expected and found in check.found for check in result.failures)
