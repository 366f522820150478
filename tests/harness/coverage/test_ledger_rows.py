"""The rows of the ledger that a run exercised, whatever ran: what shows each of them is there, and shows it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache

import pytest
from graphql import GraphQLObjectType

from emulator import Emulator
from emulator.harness.client import Endpoint, in_process
from emulator.harness.coverage import GROUPS, Coverage, Section, coverage_at
from emulator.harness.coverage.arguments_given import arguments_of
from emulator.harness.coverage.ledger_rows import cover_rows, cover_shown_rows
from emulator.harness.coverage.observed import observed
from emulator.harness.coverage.requests_made import cover_operations, cover_requests
from emulator.harness.ledger import Behaviour, behaviours
from emulator.harness.scenarios import built_in, play, read_scenarios, separate_emulators
from emulator.stackadapt.graphql.schema import executable_schema
from emulator.stackadapt.limits import Limits
from emulator.workspace import Workspace

ROWS = [row for row in behaviours() if row.exercised_by]
SCENARIOS = {each.path.relative_to(built_in()).as_posix(): each for each in read_scenarios([built_in()])}
# Their items are those of a workspace or a response, and have these forms.
FREE = {"audiences": ["vip_customers: entered", "vip_customers: left"], "responses": ["query x / nodes: the next page"]}


@cache
def possible() -> Mapping[str, frozenset[str]]:
    """The items that there can be, by group."""
    schema, found = executable_schema("2026-06"), Coverage()
    cover_operations(found, schema)
    cover_requests(found, [], schema=schema, limits=Limits(), own=frozenset())
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        assert isinstance(root, GraphQLObjectType)
        for name, field in root.fields.items():
            section = Section(f"{kind} {name}")
            for item in arguments_of(field):
                found.add("arguments", section, item, covered=False)
            for item in ("accepted", "userErrors", "status 429", "status 5xx"):
                found.add("outcomes", section, item, covered=False)
    return {
        group: frozenset(
            [f"{section.name} / {item}".removeprefix(" / ") for section, items in sections.items() for item in items]
            + FREE.get(group, [])
        )
        for group, sections in found.items.items()
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_shows_a_row_can_be_covered(row: Behaviour) -> None:
    for each in row.exercised_by:
        group, _, pattern = each.partition(": ")
        assert group in [group.name for group in GROUPS]
        assert any(fnmatchcase(item, pattern) for item in possible()[group]), each


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_is_exercised_by_each_item_that_shows_it(row: Behaviour) -> None:
    for each in row.exercised_by:
        group, _, pattern = each.partition(": ")
        section, slash, item = next(item for item in possible()[group] if fnmatchcase(item, pattern)).rpartition(" / ")
        for covered in (True, False):
            found = Coverage()
            found.add(group, Section(section if slash else ""), item, covered=covered)
            cover_rows(found)
            assert found.items["ledger"][Section(row.area)][row.id] is covered


def exercised(coverage: Coverage) -> set[str]:
    return {row for items in coverage.items["ledger"].values() for row, covered in items.items() if covered}


def test_a_sandbox_without_calls_exercises_nothing_of_what_it_lists() -> None:
    with Emulator() as emulator:
        found = observed(emulator.services)
    assert exercised(found) == set()
    assert found.rate("ledger").total >= len(ROWS)


def test_a_request_and_a_reason_exercise_the_rows_about_them() -> None:
    with Emulator() as emulator:
        emulator.segment.set_membership("vip_customers", entered=True, user_id="u1", email="no address")
        document = "{ account { id } }"
        emulator.client.post("/graphql", json={"query": document}, headers={"authorization": "Bearer sa-local-read"})
        emulator.client.post("/graphql", json={"query": document}, headers={"authorization": "Bearer wrong"})
        emulator.services.process_due()
        found = exercised(observed(emulator.services))
    assert found == {"account.fixed", "graphql.unauthorized", "delivery-invalid-payloads-leave-the-batch"}


def test_rows_that_scenarios_show_are_added_to_those_that_a_run_shows() -> None:
    found = Coverage()
    cover_rows(found)
    before = found.rate("ledger")
    cover_shown_rows(found, {"kit-paths"})
    assert exercised(found) == {"kit-paths"}
    assert found.rate("ledger").total > before.total
    # What a sandbox has shown stays so.
    [left] = [row for row in ROWS if row.id == "audience-exit"]
    found.add("ledger", Section(left.area), left.id, covered=True)
    cover_shown_rows(found, set())
    assert exercised(found) == {"kit-paths", "audience-exit"}


def played(name: str) -> Coverage:
    found = Coverage()

    @contextmanager
    def opened(workspace: Workspace) -> Iterator[Endpoint]:
        with Emulator(workspace) as emulator, in_process(emulator.app) as endpoint:
            yield endpoint
            found.merge(coverage_at(endpoint))

    play(SCENARIOS[name], separate_emulators(opened))
    return found


SHOWN = [row for row in ROWS if row.scenarios]


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.id)
def test_a_scenario_that_shows_a_row_exercises_it(row: Behaviour) -> None:
    assert any(row.id in exercised(played(f"{name}.yaml")) for name in row.scenarios)
