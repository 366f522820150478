"""Schemathesis against the Tracking API and the control API, in process, as a user would run it.

For each operation: its examples, every boundary value of its schema, and `EXAMPLES` random requests, half of them
invalid on purpose. The same ones in every run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from emulator import Emulator
from emulator.durations import parse_duration
from emulator.errors import InputError
from tests.contract import schemathesis_hooks  # noqa: F401 - importing it registers the hooks
from tests.contract.conftest import CASES, WRITE_KEY, bounded

EXAMPLES = 12

CONFORMANCE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

with Emulator() as described:
    SCHEMA = schemathesis.openapi.from_wsgi("/_emulator/openapi.json", described.app)
SCHEMA.config.generation.update(with_security_parameters=False, deterministic=CASES not in os.environ)


@pytest.fixture(scope="module", autouse=True)
def _one_mutation() -> Iterator[None]:
    """A request to mutate runs one mutation: a sample against every scenario takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emulator.server.control.mutate.RUN_SECONDS", 0.0)
        yield


@SCHEMA.parametrize()
@bounded(EXAMPLES, SCHEMA.statistic.operations.total)
def test_every_response_conforms_to_the_document(case: Case, emulator: Emulator) -> None:
    if case.operation.path == "/_emulator/wait" and _is_duration(case.query.get("timeout", "10s")):
        # Nothing happens meanwhile.
        case.query["timeout"] = "0s"
    tracking = case.operation.path.startswith("/v1/")
    # Segment responds with 200 to an invalid call and drops it later.
    checks = CONFORMANCE if tracking else [*CONFORMANCE, negative_data_rejection]
    case.call_and_validate(app=emulator.app, checks=checks, auth=WRITE_KEY if tracking else None)


def _is_duration(text: object) -> bool:
    try:
        parse_duration(str(text))
    except InputError:
        return False
    return True
