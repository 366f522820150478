"""Schemathesis on the GraphQL API, in process, as a user would run it.

`EXAMPLES` random documents for each query and mutation; the same ones in every run.
"""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from emulator import Emulator
from tests.contract import schemathesis_hooks  # noqa: F401 - importing it registers the hooks
from tests.contract.conftest import TOKEN

EXAMPLES = 25
CHECKS = [not_a_server_error, response_schema_conformance]

with Emulator() as described:
    SCHEMA = schemathesis.graphql.from_wsgi("/graphql", described.app, headers=TOKEN)

bounded = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@SCHEMA.parametrize()
@bounded
def test_no_document_breaks_the_server(case: Case, emulator: Emulator) -> None:
    response = case.call_and_validate(app=emulator.app, headers=TOKEN, checks=CHECKS)
    assert response.status_code == 200
