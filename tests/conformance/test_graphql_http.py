"""The endpoint and GraphQL Yoga answer the same HTTP requests with the same status, media type and messages.

Yoga runs with its defaults. Its `extensions` (a code) are left out: no observed response of the service has one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from emulator import Emulator

from .graphql_oracle import GraphQLOracle
from .packages import GRAPHQL_YOGA

TOKEN = {"Authorization": "Bearer sa-local-write"}
JSON = {"Content-Type": "application/json"}
QUERY: Final = {"query": "{ __typename }"}
TWO: Final = "query A { __typename } query B { __typename }"
NEEDS_ID: Final = "query($id: ID!) { advertiser(id: $id) { __typename } }"

BODIES: Final[dict[str, Any]] = {
    "runs": QUERY,
    "syntax error": {"query": "{"},
    "empty query": {"query": ""},
    "invalid": {"query": "{ nope }"},
    "variable is missing": {"query": NEEDS_ID},
    "variable is null": {"query": NEEDS_ID, "variables": {"id": None}},
    "variable is wrong": {"query": NEEDS_ID, "variables": {"id": 1.5}},
    "unused variable": {**QUERY, "variables": {"a": [1, {"b": None}]}},
    "no query": {},
    "query is null": {"query": None},
    "query is a number": {"query": 5},
    "query is an object": {"query": {}},
    "variables are null": {**QUERY, "variables": None},
    "variables are an array": {**QUERY, "variables": []},
    "variables are JSON text": {**QUERY, "variables": "{}"},
    "variables are false": {**QUERY, "variables": False},
    "variables are 0": {**QUERY, "variables": 0},
    "operation name is null": {**QUERY, "operationName": None},
    "operation name is empty": {**QUERY, "operationName": ""},
    "operation name is unknown": {**QUERY, "operationName": "X"},
    "operation name is a number": {**QUERY, "operationName": 1},
    "operation name is false": {**QUERY, "operationName": False},
    "no operation name": {"query": TWO},
    "one of two operations": {"query": TWO, "operationName": "B"},
    "unknown one of two operations": {"query": TWO, "operationName": "C"},
    "no operation": {"query": "fragment F on Query { __typename }"},
    "definition of a type": {"query": "type A { a: Int }"},
    "subscription": {"query": "subscription { __typename }"},
    "extensions": {**QUERY, "extensions": {"a": 1}},
    "extensions are null": {**QUERY, "extensions": None},
    "extensions are text": {**QUERY, "extensions": "a"},
    "extensions are an array": {**QUERY, "extensions": []},
    "persisted query": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a"}}},
    "unknown member": {**QUERY, "id": 1},
    "unknown member is null": {**QUERY, "id": None},
    "two unknown members": {"b": 1, "a": 2},
    "unknown members with numbers as names": {"b": 1, "10": 2, "9": 3},
    "array": [QUERY],
    "empty array": [],
    "number": 7,
    "text": "a",
    "true": True,
    "null": None,
    "no body": b"",
    "cut off": b'{"query": "{ __typename }"',
    "single quotes": b"{'query': '{ __typename }'}",
    "line break in text": b'{"query": "{ __typename\n}"}',
    "duplicate key": b'{"query": "{", "query": "{ __typename }"}',
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "infinity": b'{"query": "{ __typename }", "variables": {"a": -Infinity}}',
    "number too large for a double": b'{"query": "{ __typename }", "variables": {"a": 1e999}}',
    "infinite variable": json.dumps({"query": NEEDS_ID}).encode()[:-1] + b', "variables": {"id": 1e999}}',
    "byte order mark": b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "more behind": b'{"query": "{ __typename }"} {}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "half a surrogate pair in the query": b'{"query": "{ __typename } # \\ud800"}',
}
ACCEPT: Final = (
    None,
    "",
    "*/*",
    "application/*",
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "application/json; charset=latin1",
    "APPLICATION/JSON",
    "application/graphql-response+json",
    "application/graphql-response+json; charset=utf-8",
    "application/json, application/graphql-response+json",
    "application/graphql-response+json, application/json",
    "application/graphql-response+json, */*",
    "*/*, application/graphql-response+json",
    "text/html, */*",
    "text/html",
    "text/plain, application/xml",
    "nonsense",
    "*",
)
CONTENT_TYPES: Final = (
    None,
    "",
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=latin1",
    "application/json, text/plain",
    "application/graphql+json",
    "APPLICATION/JSON",
    "application/json ; charset=utf-8",
    "application/jsonx",
    "application/vnd.api+json",
    "application/graphql-response+json",
    "text/plain",
    "text/json",
    "application/octet-stream",
)
METHODS: Final = ("PUT", "PATCH", "DELETE")

# A variable that may be null stands where null is wrong, which only the execution shows.
NULLS: Final = (
    'query($a: ID = "1") { advertiser(id: $a) { name } }',
    "query($a: Boolean = true) { user @skip(if: $a) { email } }",
    'query($a: String = "x") { cdpProfiles(advertiserId: 1, filterBy: {filterDomains: [$a]}) { size } }',
    "query($a: OrderDirection = ASC) { customSegments(sortBy: {field: name, order: $a}) { totalCount } }",
    'query($a: ID = "1") { ...F } fragment F on Query { advertisers(filterBy: {ids: [$a]}) { totalCount } }',
    'mutation($a: ID = 1) { deleteRawProfile(input: {advertiserId: $a, email: ""}) { __typename } }',
)

Answer = tuple[int, str | None, Any]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def oracle(node_packages: None) -> Iterator[GraphQLOracle]:
    with GraphQLOracle("2026-06") as yoga:
        yield yoga


def body_of(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def answers(
    emulator: Emulator, oracle: GraphQLOracle, headers: dict[str, str], body: Any, method: str = "POST"
) -> tuple[Answer, Answer]:
    """Of the emulator and of Yoga: status, media type and body. Only the status where Yoga has no body."""
    sent = body_of(body)
    response = emulator.client.open("/graphql", method=method, data=sent, headers={**TOKEN, **headers})
    expected = oracle.send(method, "/graphql", headers, sent)
    if expected.body is None:
        return (response.status_code, None, None), (expected.status, None, None)
    ours = (response.status_code, response.headers["Content-Type"], without_extensions(response.json))
    return ours, (expected.status, expected.content_type, without_extensions(expected.body))


def without_extensions(body: Any) -> Any:
    errors = [{name: error[name] for name in error if name != "extensions"} for error in body.get("errors", ())]
    return {**body, **({"errors": errors} if errors else {})}


@pytest.mark.node(GRAPHQL_YOGA)
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/graphql-response+json"])
def test_a_body_has_the_response_of_yoga(emulator: Emulator, oracle: GraphQLOracle, accept: str) -> None:
    for name, body in BODIES.items():
        ours, expected = answers(emulator, oracle, {**JSON, "Accept": accept}, body)
        assert (name, ours) == (name, expected)


@pytest.mark.node(GRAPHQL_YOGA)
@pytest.mark.parametrize("body", ["runs", "invalid", "variable is missing", "cut off", "no query", "unknown member"])
def test_an_accept_header_has_the_response_of_yoga(emulator: Emulator, oracle: GraphQLOracle, body: str) -> None:
    for accept in ACCEPT:
        headers = JSON if accept is None else {**JSON, "Accept": accept}
        ours, expected = answers(emulator, oracle, headers, BODIES[body])
        assert (accept, ours) == (accept, expected)


@pytest.mark.node(GRAPHQL_YOGA)
def test_a_content_type_has_the_response_of_yoga(emulator: Emulator, oracle: GraphQLOracle) -> None:
    for content_type in CONTENT_TYPES:
        headers = {} if content_type is None else {"Content-Type": content_type}
        ours, expected = answers(emulator, oracle, headers, QUERY)
        assert (content_type, ours) == (content_type, expected)


@pytest.mark.node(GRAPHQL_YOGA)
def test_a_null_in_an_argument_has_the_response_of_yoga(emulator: Emulator, oracle: GraphQLOracle) -> None:
    for document in NULLS:
        ours, expected = answers(emulator, oracle, JSON, {"query": document, "variables": {"a": None}})
        assert (document, ours) == (document, expected)


@pytest.mark.node(GRAPHQL_YOGA)
@pytest.mark.parametrize("method", METHODS)
def test_another_method_has_the_status_of_yoga(emulator: Emulator, oracle: GraphQLOracle, method: str) -> None:
    ours, expected = answers(emulator, oracle, JSON, QUERY, method)
    assert ours[0] == expected[0] == 405


@pytest.mark.node(GRAPHQL_YOGA)
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/graphql"}, b"{ __typename }", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"query={__typename}", 415),
        (JSON, b'{"query": "{ __typename } # \xff"}', 400),
        (JSON, b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}', 400),
        ({**JSON, "Accept": "text/event-stream"}, json.dumps(QUERY).encode(), 406),
        ({**JSON, "Accept": "multipart/mixed"}, json.dumps(QUERY).encode(), 406),
    ],
    ids=["document", "form", "not UTF-8", "half a surrogate pair", "events", "parts"],
)
def test_what_yoga_accepts_and_the_emulator_does_not(
    emulator: Emulator, oracle: GraphQLOracle, headers: dict[str, str], body: bytes, status: int
) -> None:
    ours, expected = answers(emulator, oracle, headers, body)
    assert (ours[0], expected[0]) == (status, 200)
