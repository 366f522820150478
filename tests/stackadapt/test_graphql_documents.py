"""Documents and variables are limited, checked and selected as the service does, with the wording of graphql-js."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stackadapt.conftest import Service
from tests.stackadapt.graphql_requests import message


def nested(depth: int) -> str:
    inner = "{ id }"
    for _ in range((depth - 3) // 2):
        inner = "{ nodes { advertiser " + inner + " } }"
    return "{ tokenInfo { scopesByAdvertiser " + inner + " } }"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (nested(41), "nested 41 fields deep; at most 15"),
        ("{" + " ".join(f"a{n}: user {{ email }}" for n in range(101)) + "}", "101 aliases; at most 100"),
        ("{ user {" + " email" * 1000 + "} }", "1001 selections; at most 1000"),
    ],
)
def test_a_document_beyond_a_limit_is_refused(service: Service, document: str, expected: str) -> None:
    response = service.post({"query": document})
    assert response.status_code == 400
    assert expected in message(response)
    assert response.json["errors"][0]["extensions"] == {"emulator": True}


def test_the_size_of_nested_fragments_is_checked_quickly(service: Service) -> None:
    chain = "".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))
    response = service.post({"query": f"{{ user {{ ...F0 }} }} {chain} fragment F60 on User {{ email }}"})
    assert response.json["data"]["user"]["email"]


@pytest.mark.parametrize(
    "document", ["{" * 50_000, "{ user(a: " + "[" * 50_000, "{ user { email } } " + "# \n" * 300_000]
)
def test_a_document_that_would_exhaust_the_parser_is_a_syntax_error(service: Service, document: str) -> None:
    response = service.post({"query": document})
    assert response.status_code in (200, 400)
    assert message(response).startswith("Syntax Error: ")


def test_a_syntax_error_has_the_wording_of_graphql_js_and_a_location(service: Service) -> None:
    response = service.post({"query": "{ user {\n  email )\n} }"})
    assert response.status_code == 200
    assert response.json == {
        "errors": [{"message": 'Syntax Error: Expected Name, found ")".', "locations": [{"line": 2, "column": 9}]}]
    }


def test_an_empty_selection_is_a_syntax_error(service: Service) -> None:
    assert message(service.post({"query": "{ user { } }"})) == 'Syntax Error: Expected Name, found "}".'


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ useer { email } }", 'Cannot query field "useer" on type "Query". Did you mean "user"?'),
        (
            "{ cdpProfiles { size } }",
            'Field "cdpProfiles" argument "advertiserId" of type "ID!" is required, but it was not provided.',
        ),
        (
            'mutation { upsertProfiles(input: {advertiserId: 1, externalProvider: "s", profiles: "", foo: 1}) { x } }',
            'Field "foo" is not defined by type "UpsertProfilesInput".',
        ),
        (
            'mutation { upsertProfiles(input: {advertiserId: 1, profiles: "[]"}) { x } }',
            'Field "UpsertProfilesInput.externalProvider" of required type "String!" was not provided.',
        ),
        (
            "mutation { upsertProfiles(input: {advertiserId: null}) { x } }",
            'Expected value of type "ID!", found null.',
        ),
        (
            'mutation { upsertProfiles(input: "it\'s") { x } }',
            'Expected value of type "UpsertProfilesInput!", found "it\'s".',
        ),
        ("{ tokenInfo(x: 1) { name } }", 'Unknown argument "x" on field "Query.tokenInfo".'),
    ],
)
@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("*/*", 200), ("application/graphql-response+json", 400)],
)
def test_a_validation_error_has_the_wording_of_graphql_js(
    service: Service, document: str, expected: str, accept: str, status: int
) -> None:
    response = service.post({"query": document}, headers={"Accept": accept})
    assert response.status_code == status
    assert expected in [error["message"] for error in response.json["errors"]]
    assert response.json["errors"][0]["locations"]
    assert "data" not in response.json
    assert response.mimetype == (accept if accept != "*/*" else "application/json")


@pytest.mark.parametrize(("accept", "status"), [("*/*", 200), ("application/graphql-response+json", 400)])
def test_a_missing_query_is_refused(service: Service, accept: str, status: int) -> None:
    for body in ({}, {"query": None}):
        response = service.post(body, headers={"Accept": accept})
        assert response.status_code == status
        assert response.json == {"errors": [{"message": "Must provide query string."}]}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        (
            "query($n: Int) { advertisers(first: $n) { totalCount } }",
            {"n": "12"},
            'Variable "$n" got invalid value "12"; Int cannot represent non-integer value: "12"',
        ),
        (
            "query($id: ID!) { advertiser(id: $id) { name } }",
            {},
            'Variable "$id" of required type "ID!" was not provided.',
        ),
        (
            "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { path } } }",
            {"u": {"advertiserId": {"a": [True, None]}, "externalProvider": "", "profiles": ""}},
            (
                'Variable "$u" got invalid value { a: [true, null] } at "u.advertiserId"; '
                "ID cannot represent value: { a: [true, null] }"
            ),
        ),
    ],
)
def test_wrong_variables_are_refused_with_status_400(
    service: Service, accept: str, document: str, variables: dict[str, Any], expected: str
) -> None:
    response = service.post({"query": document, "variables": variables}, headers={"Accept": accept})
    assert response.status_code == 400
    assert message(response) == expected
    assert "data" not in response.json


def test_a_null_that_only_the_execution_finds_has_the_wording_of_graphql_js(service: Service) -> None:
    document = 'query($a: ID = "1") { advertisers(filterBy: {ids: [$a]}) { totalCount } }'
    response = service.post({"query": document, "variables": {"a": None}})
    assert response.json == {
        "data": None,
        "errors": [
            {
                "message": 'Argument "filterBy" has invalid value {ids: [$a]}.',
                "locations": [{"line": 1, "column": 45}],
                "path": ["advertisers"],
            }
        ],
    }


@pytest.mark.parametrize("name", [None, "C", ""])
def test_the_operation_is_selected_by_name(service: Service, name: str | None) -> None:
    document = "query A { user { email } } query B { account { currency } }"
    assert service.post({"query": document, "operationName": "B"}).json == {"data": {"account": {"currency": "USD"}}}
    response = service.post({"query": document, "operationName": name})
    assert response.status_code == 400
    assert message(response) == "Could not determine what operation to execute."


def test_a_subscription_is_refused(service: Service) -> None:
    response = service.post({"query": "subscription { user { email } }"})
    assert message(response) == "Schema is not configured to execute subscription operation."


def test_a_column_is_counted_in_utf_16_units(service: Service) -> None:
    response = service.post({"query": '{ advertiser(id: "\U0001f600") { nope } }'})
    assert response.json["errors"][0]["locations"] == [{"line": 1, "column": 26}]
