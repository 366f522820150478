"""Documents of known shapes have the responses, the effects and the journal entries that they have without shapes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulator import Emulator
from emulator.clock import Clock
from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.stackadapt.graphql import executor
from emulator.stackadapt.graphql.document import split_at_literals
from emulator.stackadapt.graphql.plans import Plan
from tests.stackadapt.conftest import START
from tests.stackadapt.random_documents import STRINGS, random_documents

# A plan has nothing to do with the store.
pytestmark = pytest.mark.one_store

# In eight parts, for as many processes.
PARTS = 8
DOCUMENTS = 1_250
TOKEN = {"Authorization": "Bearer sa-local-write"}


@contextmanager
def without_shapes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(executor, "parse_shaped", lambda *_: None)
        yield


def answer(emulator: Emulator, document: str, variables: dict[str, Any]) -> tuple[int, Any]:
    # Python's own writer also writes half of a surrogate pair.
    body = json.dumps({"query": document, "variables": variables})
    response = emulator.client.post("/graphql", data=body, content_type="application/json", headers=TOKEN)
    return response.status_code, response.json


def without_ids(event: GraphQLExchanged) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in GraphQLExchanged.__dataclass_fields__}
    return {name: value for name, value in fields.items() if name not in ("at", "trace_id", "duration_ms")}


def state(emulator: Emulator) -> Any:
    stackadapt, journal = emulator.stackadapt, emulator.sandbox.journal
    return {
        "profiles": stackadapt.profiles(limit=100_000),
        "records": [{**each, "requestId": None} for each in stackadapt.records(limit=100_000)],
        "counts": stackadapt.counts(),
        "exchanged": [without_ids(event) for event in journal.entries(GraphQLExchanged)],
        "processed": [(event.outcome, event.reason, event.email) for event in journal.entries(RecordProcessed)],
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_shapes_change_nothing_that_can_be_observed(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = random.randrange(2**32)
    planned = []
    run = Plan.run
    monkeypatch.setattr(Plan, "run", lambda *given: planned.append(1) or run(*given))
    with Emulator(clock=Clock(frozen_at=START)) as shaped, Emulator(clock=Clock(frozen_at=START)) as plain:
        for number, document in enumerate(random_documents(seed, DOCUMENTS)):
            variables = {"v": "w"} if number % 3 else {}
            found = answer(shaped, document, variables)
            with without_shapes():
                expected = answer(plain, document, variables)
            assert _without_trace(found) == _without_trace(expected), (part, seed, document)
        assert state(shaped) == state(plain), (part, seed)
    # The comparison means something as long as many documents have a plan.
    assert len(planned) > DOCUMENTS / 6


def _without_trace(answered: tuple[int, Any]) -> Any:
    status, body = answered
    for error in body.get("errors", ()):
        error.get("extensions", {}).pop("traceId", None)
    return status, body


@pytest.mark.parametrize("literal", STRINGS)
def test_only_a_document_whose_quotes_are_all_of_plain_strings_is_split(literal: str) -> None:
    plain = literal.startswith('"') and literal.endswith('"') and not literal.startswith('""')
    plain = (plain or literal == '""') and "\\u" not in literal and "\\x" not in literal
    plain = plain and not any(mark in literal for mark in ("\t", "\n", "\ud800", '"""', "# "))
    if '"' not in literal:
        assert split_at_literals(f"{{ f(a: {literal}) }}") == (f"{{ f(a: {literal}) }}", [])
    elif literal.startswith(("[", "{")):
        assert split_at_literals(literal) is not None
    else:
        assert (split_at_literals(f"{{ f(a: {literal}) }}") is not None) == plain


def test_a_literal_in_a_default_of_a_variable_is_not_lifted() -> None:
    with Emulator() as emulator:
        for value in ("1001", "1002"):
            document = f'query ($id: ID! = "{value}") {{ advertiser(id: $id) {{ id }} }}'
            assert answer(emulator, document, {}) == (200, {"data": {"advertiser": {"id": value}}})


def test_fields_of_one_name_with_different_literals_conflict() -> None:
    document = '{{ advertiser(id: "{}") {{ id }} advertiser(id: "{}") {{ name }} }}'
    with Emulator() as emulator:
        for left, right, allowed in (("1001", "1001", True), ("1001", "1002", False), ("1002", "1002", True)):
            assert ("errors" not in answer(emulator, document.format(left, right), {})[1]) == allowed


def test_an_error_has_its_place_in_the_text_that_was_sent() -> None:
    with Emulator() as emulator:
        for token in ("?", "????????"):
            document = f'{{ user {{ email }} advertisers(after: "{token}") {{ totalCount }} }}'
            status, body = answer(emulator, document, {})
            assert (status, body["errors"][0]["locations"]) == (200, [{"line": 1, "column": 18}])
            document = f'{{ a: advertiser(id: "{token}") {{ id }} advertisers(after: "{token}") {{ totalCount }} }}'
            _, body = answer(emulator, document, {})
            assert body["errors"][0]["locations"] == [{"line": 1, "column": document.index("advertisers") + 1}]
