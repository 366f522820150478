"""What an introspection says of the schema: which API version it is, and how it differs from the contract."""

from __future__ import annotations

from typing import Any, Final, cast

from graphql import GraphQLError, GraphQLSchema, build_client_schema, validate_schema
from graphql.utilities import IntrospectionQuery

from emulator.harness.drift import breaking_places
from emulator.harness.probe.forms import some
from emulator.harness.probe.probe_parts import Observed, ProbeResponses, Seen
from emulator.stackadapt.graphql.schema import API_VERSIONS

_DEPRECATED: Final = "schema.deprecated-directive"


def served_schema(answers: ProbeResponses) -> Observed:
    """The rows `schema.…`: that of the version that is served, and the newest, which is the default."""
    content = answers["schema"].at_path("data")
    schema = _schema(content)
    if schema is None:
        return {_DEPRECATED: None, **{f"schema.{version}": None for version in API_VERSIONS}}
    version = next((each for each in API_VERSIONS if not breaking_places(schema, each)), None)
    newest = max(API_VERSIONS)
    changes = breaking_places(schema, newest)
    shown = "no breaking change" if not changes else f"breaking: {some(changes[:3])}, {len(changes)} in all"
    rows: dict[str, Seen | None] = {f"schema.{each}": None for each in API_VERSIONS}
    if version is not None and version != newest:
        rows[f"schema.{version}"] = Seen("no breaking change", version)
    directive = schema.get_directive("deprecated")
    places = () if directive is None else (place.name for place in directive.locations)
    return {**rows, f"schema.{newest}": Seen(shown, version), _DEPRECATED: Seen(f"@deprecated on {some(places)}")}


def _schema(content: Any) -> GraphQLSchema | None:
    if not isinstance(content, dict) or "__schema" not in content:
        return None
    try:
        schema = build_client_schema(cast(IntrospectionQuery, content))
        return None if validate_schema(schema) else schema
    except (GraphQLError, AttributeError, TypeError, ValueError, KeyError, RecursionError):
        # graphql-core reads an introspection without checking its form.
        return None
