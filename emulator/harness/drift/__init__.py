"""Compares the StackAdapt schema or an installed destination with the contract.

`schema_drift` compares a schema from a file or an endpoint, `compare_published` an installed npm package.
"""

from __future__ import annotations

from graphql import GraphQLSchema

from emulator.harness.checks.finding import BREAKING, Finding
from emulator.harness.drift import comparison
from emulator.harness.drift.installed_package import content_of, package_in
from emulator.harness.drift.published import Compared, compare_published
from emulator.harness.drift.schema_changes import schema_findings
from emulator.harness.drift.schema_sources import introspect, line_in, read_schema
from emulator.harness.drift.usage import usage_of
from emulator.stackadapt.graphql.schema import executable_schema

__all__ = [
    "Compared",
    "breaking_places",
    "compare_published",
    "content_of",
    "introspect",
    "line_in",
    "package_in",
    "read_schema",
    "schema_drift",
]


def schema_drift(found: GraphQLSchema, api_version: str) -> list[Finding]:
    """All changes from the contract to `found`, worst first. Raises InputError for an unknown API version."""
    contract = executable_schema(api_version)
    return schema_findings(contract, found, usage_of(contract))


def breaking_places(found: GraphQLSchema, api_version: str) -> list[str]:
    """Where `found` breaks the contract, used or not; much faster than `schema_drift`."""
    changes = comparison.schema_changes(executable_schema(api_version), found)
    return [each.place for each in changes if each.severity == BREAKING]
