"""Schemas read from files and endpoints; an invalid one is reported in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    build_schema,
    get_introspection_query,
    graphql_sync,
    introspection_from_schema,
    print_schema,
)

from emulator.errors import InputError, UserMistake
from emulator.harness.drift import introspect, read_schema, schema_drift
from emulator.server.emulator import Emulator
from emulator.stackadapt.graphql.schema import LATEST, executable_schema


def test_a_schema_is_read_from_sdl_and_from_introspection(tmp_path: Path) -> None:
    schema = executable_schema(LATEST)
    introspection = introspection_from_schema(schema)
    for name, text in (
        ("schema.graphql", print_schema(schema)),
        ("schema.json", json.dumps(introspection)),
        ("response.json", json.dumps({"data": introspection})),
    ):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert schema_drift(read_schema(path), LATEST) == []


def test_the_directives_of_another_library_are_no_change(tmp_path: Path) -> None:
    introspection: Any = introspection_from_schema(executable_schema(LATEST))
    described = introspection["__schema"]
    described["directives"] = [each for each in described["directives"] if each["name"] != "oneOf"]
    (deprecated,) = (each for each in described["directives"] if each["name"] == "deprecated")
    deprecated["locations"].remove("INPUT_FIELD_DEFINITION")
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(introspection), encoding="utf-8")
    assert schema_drift(read_schema(path), LATEST) == []


def shallow_introspection(schema: GraphQLSchema) -> dict[str, Any]:
    """An introspection that cuts off nested types, as many tools make it."""
    query = get_introspection_query(type_depth=1)
    return {"data": graphql_sync(schema, query).data}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("type Query {", "invalid SDL: Syntax Error"),
        ("type Query { a: Missing }", "invalid SDL: Unknown type 'Missing'."),
        ("", "invalid SDL"),
        ("{", "this is not JSON"),
        ('{"data": {"user": null}}', "it has no __schema"),
        ('{"data": null}', "it has no __schema"),
        ('{"data": {"__schema": 5}}', "invalid introspection result"),
        ('{"__schema": {"queryType": {"name": "Query"}, "types": []}}', "invalid introspection result"),
        ("type A { a: Int }", "invalid schema: Query root type must be provided"),
        (
            "input I @oneOf { a: Int! b: Int! } type Query { f(i: I): Int }",
            "invalid schema: OneOf input field I.a must be nullable (1 more)",
        ),
        (
            "input I { a: Int! @deprecated } type Query { f(i: I): Int }",
            "invalid schema: Required input field I.a cannot be deprecated",
        ),
        (json.dumps(shallow_introspection(executable_schema(LATEST))), "Introspect again"),
    ],
)
def test_a_file_without_a_valid_schema_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "schema"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_schema(path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_schema(tmp_path / "none.graphql")


def test_a_live_endpoint_is_introspected() -> None:
    with Emulator() as emulator, httpx.Client(trust_env=False) as client:
        url = f"{emulator.start()}/graphql"
        assert schema_drift(introspect(client, url, "sa-local-read"), LATEST) == []


def test_an_older_endpoint_is_queried_again_without_what_it_does_not_know() -> None:
    queries = []

    def old(request: httpx.Request) -> httpx.Response:
        query = json.loads(request.content)["query"]
        queries.append(query)
        if "isOneOf" in query or "inputFields(includeDeprecated: true)" in query:
            return httpx.Response(200, json={"errors": [{"message": 'Unknown argument "includeDeprecated"'}]})
        return httpx.Response(200, json={"data": introspection_from_schema(executable_schema(LATEST))})

    with httpx.Client(transport=httpx.MockTransport(old)) as client:
        assert schema_drift(introspect(client, "http://127.0.0.1/graphql", None), LATEST) == []
    assert len(queries) == 3


def test_introspection_reads_one_of_input_types() -> None:
    one_of = build_schema("input I @oneOf { a: Int } type Query { f(i: I): Int }")

    def response(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": graphql_sync(one_of, json.loads(request.content)["query"]).data})

    with httpx.Client(transport=httpx.MockTransport(response)) as client:
        found = introspect(client, "http://127.0.0.1/graphql", None).get_type("I")
    assert isinstance(found, GraphQLInputObjectType)
    assert found.is_one_of


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(401, json={"errors": [{"message": "no access for tok-secret"}]}), "Found: 'no access for ***'"),
        (httpx.Response(200, json={"errors": [{"message": "not for tok-secret"}]}), "rejects introspection"),
        (httpx.Response(200, html="<html>"), "the endpoint responds with 200"),
        (httpx.Response(404, html="<html>"), "Check the address and the token."),
        (httpx.Response(200, json={"data": {}}), "it has no __schema"),
    ],
)
def test_an_endpoint_without_a_schema_is_refused_without_printing_the_token(
    response: httpx.Response, message: str
) -> None:
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: response)) as client,
        pytest.raises(UserMistake) as raised,
    ):
        introspect(client, "http://127.0.0.1/graphql?key=secret", "tok-secret")
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)
