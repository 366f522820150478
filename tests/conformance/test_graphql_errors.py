"""The endpoint and graphql-js refuse the same requests, in the same words, at the same places."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emulator import Emulator
from emulator.stackadapt.graphql.schema import API_VERSIONS
from emulator.stackadapt.messages import NO_SUBSCRIPTIONS, NO_SUCH_OPERATION
from emulator.workspace import load_workspace

from .bad_requests import Request, random_documents, requests
from .graphql_oracle import GraphQLOracle
from .packages import GRAPHQL_YOGA

# The same documents in every run; a long one draws others.
SEED = 20261128
RANDOM_DOCUMENTS, RANDOM_DOCUMENTS_OF_A_LONG_RUN = 1500, 5000
TOKEN = {"Authorization": "Bearer sa-local-write"}
# What Yoga says before and after the checks of graphql-js.
NOT_OF_GRAPHQL_JS = (NO_SUCH_OPERATION, NO_SUBSCRIPTIONS)


@pytest.fixture
def oracle(node_packages: None, api_version: str) -> Iterator[GraphQLOracle]:
    with GraphQLOracle(api_version) as graphql_js:
        yield graphql_js


@pytest.fixture
def emulator(api_version: str) -> Iterator[Emulator]:
    with Emulator(replace(load_workspace(), api_version=api_version)) as emulator:
        yield emulator


def errors_of(emulator: Emulator, request: Request) -> Any:
    """The errors of a request that did not run, as the endpoint answers it; None if it ran."""
    query, variables = request
    response = emulator.client.post("/graphql", json={"query": query, "variables": variables}, headers=TOKEN)
    assert response.json is not None
    return None if "data" in response.json else response.json["errors"]


def differences(emulator: Emulator, oracle: GraphQLOracle, asked: Iterator[Request]) -> list[Any]:
    found = []
    for request in asked:
        ours = errors_of(emulator, request)
        if ours and (ours[0].get("extensions") or ours[0]["message"] in NOT_OF_GRAPHQL_JS):
            continue
        expected = oracle.errors(*request)
        if ours != expected:
            found.append({"request": request, "graphql-js": expected, "emulator": ours})
    return found


@pytest.mark.node(GRAPHQL_YOGA)
@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_every_bad_request_of_the_table_has_the_errors_of_graphql_js(emulator: Emulator, oracle: GraphQLOracle) -> None:
    assert differences(emulator, oracle, requests()) == []


@pytest.mark.node(GRAPHQL_YOGA)
@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_random_bad_documents_have_the_errors_of_graphql_js(
    emulator: Emulator, oracle: GraphQLOracle, long: bool
) -> None:
    seed = secrets.randbelow(2**32) if long else SEED
    count = RANDOM_DOCUMENTS_OF_A_LONG_RUN if long else RANDOM_DOCUMENTS
    random = ((document, {}) for document in random_documents(seed, count))
    assert differences(emulator, oracle, random) == [], f"seed {seed}"
