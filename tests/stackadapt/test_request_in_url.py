"""A GET with a request in its URL: queries are answered, mutations need a POST."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator import Emulator
from tests.conformance.served import ADVERTISER, TOKEN

ADVERTISER_QUERY = "query A($id: ID!) { advertiser(id: $id) { id } } query B { user { email } }"
MUTATION = 'mutation { deleteRawProfile(input: {advertiserId: 1001, email: "a@b.co"}) { userErrors { message } } }'


def get(emulator: Emulator, token: str = TOKEN, **parameters: Any) -> Any:
    return emulator.client.get("/graphql", query_string=parameters, headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def emulator() -> Any:
    with Emulator() as emulator:
        yield emulator


def test_a_query_in_the_url_is_answered(emulator: Emulator) -> None:
    variables = json.dumps({"id": ADVERTISER})
    response = get(emulator, query=ADVERTISER_QUERY, operationName="A", variables=variables, other="ignored")
    assert (response.status_code, response.json) == (200, {"data": {"advertiser": {"id": ADVERTISER}}})
    (entry,) = emulator.client.get("/_emulator/journal").get_json()["entries"]
    assert (entry["method"], entry["operations"], entry["refusal"]) == ("GET", ["advertiser"], None)
    assert json.loads(entry["request"])["variables"] == {"id": ADVERTISER}


def test_a_mutation_in_the_url_is_refused_and_changes_nothing(emulator: Emulator) -> None:
    response = get(emulator, query=MUTATION)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.json == {"errors": [{"message": "Can only perform a mutation operation from a POST request."}]}
    assert emulator.client.get("/_emulator/deletions").get_json()["deletions"] == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"query": "{ nope }"}, 'Cannot query field "nope" on type "Query".'),
        ({"variables": "{}"}, "Must provide query string."),
        ({"query": "{ user { email } }", "variables": "{"}, '"variables" param'),
        ({"query": "{ user { email } }", "variables": "[]"}, '"variables" param'),
    ],
)
def test_a_request_in_the_url_has_the_errors_of_a_body(
    emulator: Emulator, parameters: dict[str, str], message: str
) -> None:
    assert message in get(emulator, **parameters).json["errors"][0]["message"]


def test_a_request_in_the_url_needs_a_token(emulator: Emulator) -> None:
    assert get(emulator, token="wrong", query="{ user { email } }").status_code == 401


def test_a_get_without_a_request_is_refused(emulator: Emulator) -> None:
    assert get(emulator).status_code == 405
    assert get(emulator, other="x").status_code == 405
