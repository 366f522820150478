"""What the probes read in answers of any form, so that no service can break a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from graphql import FieldNode, GraphQLSyntaxError, OperationDefinitionNode, SelectionSetNode, parse

from emulator.harness.probe import probes
from emulator.harness.probe.probe_parts import Probe, ProbeResponse, ProbeResponses, Request

NONSENSE: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    "",
    "\ud800",
    [],
    {},
    [[None]],
    [5, "x"],
    [{}],
    {"nodes": 5},
    [{"a": 1}],
)
LISTS = ("nodes", "userErrors", "targets", "parameters")


def shaped(selections: SelectionSetNode | None, nonsense: Any, depth: int) -> Any:
    """An answer to a document with nonsense at a depth."""
    if depth == 0 or selections is None:
        return nonsense
    fields = [each for each in selections.selections if isinstance(each, FieldNode)]
    return {
        (each.alias or each.name).value: [inner] if each.name.value in LISTS else inner
        for each in fields
        for inner in [shaped(each.selection_set, nonsense, depth - 1)]
    }


@cache
def selections_of(document: str) -> SelectionSetNode | None:
    try:
        operations = [each for each in parse(document).definitions if isinstance(each, OperationDefinitionNode)]
    except GraphQLSyntaxError:
        return None
    return operations[0].selection_set


def answer(request: Request, nonsense: Any, depth: int) -> ProbeResponse:
    document = request.body.get("query") if isinstance(request.body, Mapping) else None
    data = shaped(None if document is None else selections_of(document), nonsense, depth)
    errors = [{"message": nonsense, "extensions": nonsense}] if depth % 2 else nonsense
    text = json.dumps({"data": data, "errors": errors})
    return ProbeResponse(status=200, headers={}, text=text, at=datetime(2026, 6, 1, tzinfo=UTC))


def answers(probe: Probe) -> Iterator[ProbeResponses]:
    for nonsense in NONSENSE:
        for depth in range(6):
            by_name = {each.name: answer(each, nonsense, depth) for each in probe.requests}
            yield ProbeResponses(by_name=by_name, waited=1.0 if depth % 2 else None)


@pytest.mark.parametrize("probe", probes(burst=2), ids=lambda probe: probe.id)
def test_an_answer_of_any_form_is_read(probe: Probe) -> None:
    for each in answers(probe):
        seen = probe.observe(each)
        assert seen.keys() <= {*probe.rows}
