"""Schemathesis on the GraphQL API, in process, as a user would run it.

Random documents for each query and mutation of each version of the schema, most for the newest; the same ones in every
run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from emulator import Emulator
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST
from emulator.workspace import load_workspace
from tests.contract import schemathesis_hooks  # noqa: F401 - importing it registers the hooks
from tests.contract.conftest import TOKEN, bounded, make_history

EXAMPLES, EXAMPLES_OF_OLDER_VERSIONS = 25, 10
CHECKS = [not_a_server_error, response_schema_conformance]


def emulator_of(version: str) -> Emulator:
    return Emulator(load_workspace(None).with_options(api_version=version))


def schema_of(version: str) -> Any:
    with emulator_of(version) as described:
        return schemathesis.graphql.from_wsgi("/graphql", described.app, headers=TOKEN)


SCHEMAS = {version: schema_of(version) for version in API_VERSIONS}
OPERATIONS = sum(schema.statistic.operations.total for schema in SCHEMAS.values())


@pytest.fixture
def versioned(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An emulator of the version that the test is about, with some history."""
    with emulator_of(request.function.version) as emulator:
        make_history(emulator)
        yield emulator


def _documents(version: str) -> Any:
    """The test of one version: Schemathesis gives a test the operations of one schema."""

    @SCHEMAS[version].parametrize()
    @bounded(EXAMPLES if version == LATEST else EXAMPLES_OF_OLDER_VERSIONS, OPERATIONS)
    def test(case: Case, versioned: Emulator) -> None:
        response = case.call_and_validate(app=versioned.app, headers=TOKEN, checks=CHECKS)
        assert response.status_code == 200

    test.version = version
    return test


test_no_document_of_2026_06_breaks_the_server = _documents("2026-06")
test_no_document_of_2025_05_breaks_the_server = _documents("2025-05")
test_no_document_of_2024_12_breaks_the_server = _documents("2024-12")
