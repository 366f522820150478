from __future__ import annotations

import json
from typing import Any

import pytest

from .cases import FQL, TRANSFORM, case, cases
from .differential import run_case
from .mapping_cases import DIRECTIVES, LIQUID_CORNERS, PATH_CORNERS
from .oracle import Oracle
from .packages import GENERATIONS, NEWEST

KINDS = (TRANSFORM, FQL, *GENERATIONS)
ENOUGH = 400


def keys_within(value: Any) -> set[str]:
    """All member names in a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*(keys_within(entry) for entry in value.values()))
    return set().union(*(keys_within(entry) for entry in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_depends_only_on_its_seed_and_index(kind: str) -> None:
    drawn = list(cases(7, kind, 20))
    assert [case(7, kind, index) for index in reversed(range(20))] == drawn[::-1]
    assert len({json.dumps(one) for one in drawn}) == 20
    assert next(cases(8, kind, 1)) != drawn[0]


@pytest.mark.parametrize("kind", KINDS)
def test_cases_are_plain_json(kind: str) -> None:
    for one in cases(1, kind, ENOUGH):
        assert json.loads(json.dumps(one)) == one


def test_every_directive_is_drawn() -> None:
    drawn = set().union(*(keys_within(one["mapping"]) for one in cases(1, TRANSFORM, ENOUGH)))
    assert set(DIRECTIVES) <= drawn


def test_no_known_difference_is_drawn() -> None:
    drawn = json.dumps([one["mapping"] for one in cases(1, TRANSFORM, ENOUGH)])
    assert [corner for corner in (*LIQUID_CORNERS, *PATH_CORNERS) if json.dumps(corner) in drawn] == []


@pytest.mark.node(NEWEST)
def test_every_known_difference_exists() -> None:
    mappings = [{"k": {"@liquid": one}} for one in LIQUID_CORNERS] + [{"k": {"@path": one}} for one in PATH_CORNERS]
    corners = [{"kind": TRANSFORM, "mapping": one, "payload": {"type": "track", "s": "x"}} for one in mappings]
    with Oracle(NEWEST) as oracle:
        same = [one["mapping"] for one in corners if not run_case(TRANSFORM, one, oracle.expected(one)).differences]
    assert same == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_mode_and_kind_of_response_is_drawn(generation: str) -> None:
    drawn = list(cases(1, generation, ENOUGH))
    assert {one["mode"] for one in drawn} == {"event", "batch", "delete", "auth", "dynamic"}
    responses = [one["responses"][0] for one in drawn]
    assert {200, 302, 400, 401, 429, 500, 503} <= {response.get("status") for response in responses}
    assert {"body", "text", "reset"} <= {member for response in responses for member in response}
    assert {one["generation"] for one in drawn} == {generation}
