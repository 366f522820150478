"""What every environment of the matrix is asked: requests to `/graphql`, and schemas to compare with the contract."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from graphql import get_introspection_query

from emulator.artefacts import contract_text
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST
from tests.conformance.bad_requests import Request, random_documents, requests
from tests.harness.test_drift_schema import ONE, TWO

SEED = 20261129
RANDOM_DOCUMENTS = 300
# Of the table of requests, which has each literal at each place; prime, so that every kind is met.
EACH = 7

_UPSERT = (
    'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io", profiles: "%s"}) '
    "{ profilesQueued userErrors { message path } } }"
)
GOOD: tuple[Request, ...] = (
    (_UPSERT % '[{\\"email\\": \\"ada@example.com\\", \\"city\\": \\"Paris\\"}]', {}),
    (_UPSERT % "[{}]", {}),
    (_UPSERT % "no JSON", {}),
    ("{ cdpProfiles(advertiserId: 1001) { size profiles { nodes { email marketingStatus } } } }", {}),
    ("query($a: ID!, $n: Int = 1) { advertiser(id: $a) { name } advertisers(first: $n) { totalCount } }", {"a": 1001}),
    ("{ tokenInfo { __typename scopesByAdvertiser { scopes } } me: user { ...U } } fragment U on User { id }", {}),
    ("query($yes: Boolean!) { advertisers @include(if: $yes) { totalCount } }", {"yes": False}),
    ("query($n: Int = 1) { advertisers(first: $n) { totalCount } }", {"n": None}),
    ('{ __type(name: "Advertiser") { name fields(includeDeprecated: true) { name isDeprecated } } }', {}),
    ("{ user(a: " + "[" * 150 + "]" * 150 + ") { id } }", {}),
    ("{ user { } }", {}),
    ("{ }", {}),
    ("fragment F($a: Int) on User { id } { user { id } }", {}),
)
# Everything that both versions have; the newer one describes itself with more.
INTROSPECTION = get_introspection_query(specified_by_url=True, input_value_deprecation=True)


def asked(*, full: bool) -> dict[str, Any]:
    """`requests` by API version, the newest first, and `schemas` by a name; only some unless `full`."""
    versions = tuple(API_VERSIONS) if full else (LATEST,)
    return {
        "requests": {version: list(_requests(version, full=full)) for version in versions},
        "schemas": {f"schema {number}": schema for number, schema in enumerate(_schemas() if full else ())},
    }


def _requests(api_version: str, *, full: bool) -> Iterator[Request]:
    yield (INTROSPECTION, {})
    yield from GOOD
    if api_version == LATEST and full:
        yield from islice(requests(), 0, None, EACH)
        yield from ((document, {}) for document in random_documents(SEED, RANDOM_DOCUMENTS))


def _schemas() -> Iterator[str]:
    contract = contract_text(API_VERSIONS[LATEST].file)
    yield contract
    yield contract.replace("ID!", "ID")
    yield contract.replace("Int", "String")
    yield contract.replace("\n  STRING\n", "\n  TEXT\n").replace("syncId: String", 'syncId: String = "a"')
    yield from (ONE, TWO, "type Query {", "type A { a: Int }", "input I @oneOf { a: Int! } type Query { f(i: I): Int }")
