"""Published GraphQL clients with the emulator as their server: what each one does with its defaults.

A test compares what a client hands to its caller, and where it matters what it sent, which is in the journal.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from emulator.stackadapt.graphql.schema import LATEST, executable_schema

from . import python_packages
from .graphql_clients import (
    APOLLO,
    APOLLO_PERSISTED,
    APOLLO_RETRY,
    CLIENTS,
    GQL_CLIENTS,
    GQL_RETRY,
    GRAPHQL_REQUEST,
    SECONDS_ALLOWED,
    URQL,
    Client,
    GraphQLClient,
)
from .packages import GRAPHQL_CLIENTS
from .python_packages import SGQLC
from .served import ADVERTISER, PROFILES, REPOSITORY, TOKEN

UPSERT = """mutation Upsert($input: UpsertProfilesInput!) {
  upsertProfiles(input: $input) { userErrors { message path } }
}"""
PAGE = """query Page($first: Int, $after: String) {
  advertisers(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}"""
USER = "query User { user { email } }"
# How a client hands over the errors of a response: with an exception of this class, or in its result.
ERRORS = {
    "@urql/core": "CombinedError",
    "@apollo/client": "CombinedGraphQLErrors",
    "graphql-request": "ClientError",
    "gql": "TransportQueryError",
    "sgqlc": "errors",
}


def every(clients: Iterable[Client]) -> pytest.MarkDecorator:
    """Parametrizes a test with clients, each with the packages that it needs."""
    return pytest.mark.parametrize(
        "client",
        [
            pytest.param(
                each,
                id=str(each),
                marks=pytest.mark.node(GRAPHQL_CLIENTS) if each.in_node else pytest.mark.python_client(each.package),
            )
            for each in clients
        ],
        indirect=True,
    )


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """An emulator in its initial state: the module's, since clients take longer to start than all tests."""
    assert running.client.post("/_emulator/reset").status_code == 200
    return running


@pytest.fixture(scope="module")
def clients(running: Emulator) -> Iterator[Callable[[Client], GraphQLClient]]:
    """Starts a client on first use."""
    with ExitStack() as started:
        yield cache(lambda client: started.enter_context(GraphQLClient(client, f"{running.url}/graphql")))


@pytest.fixture
def client(
    request: pytest.FixtureRequest,
    node_packages: None,
    python_client: None,
    clients: Callable[[Client], GraphQLClient],
) -> GraphQLClient:
    return clients(request.param)


def without_typename(value: Any) -> Any:
    """Apollo and urql ask for `__typename` in each selection."""
    if isinstance(value, dict):
        return {key: without_typename(each) for key, each in value.items() if key != "__typename"}
    return [without_typename(each) for each in value] if isinstance(value, list) else value


def batch(advertiser: str, *emails: str) -> dict[str, Any]:
    return {
        "advertiserId": advertiser,
        "externalProvider": "segment_io",
        "profiles": [{"email": email, "user_id": email.partition("@")[0]} for email in emails],
    }


def journal(emulator: Emulator) -> list[dict[str, Any]]:
    """The requests that arrived, oldest first."""
    entries: list[dict[str, Any]] = emulator.client.get("/_emulator/journal").get_json()["entries"]
    return entries


def limit(emulator: Emulator, *, times: int) -> None:
    """Refuses the next requests with status 429."""
    fault = {"fault": "status", "status": 429, "times": times}
    assert emulator.client.post("/_emulator/faults", json=fault).status_code == 201


@every(CLIENTS)
def test_a_list_of_profiles_is_written_and_read_with_variables(emulator: Emulator, client: GraphQLClient) -> None:
    written = client.send(UPSERT, input=batch(ADVERTISER, "ada@example.com", "zoë@example.com"))
    assert without_typename(written.data) == {"upsertProfiles": {"userErrors": []}}
    assert emulator.stackadapt.counts()["profiles"] == 2
    read = client.send(PROFILES, advertiser=ADVERTISER, email="zoë@example.com")
    assert read.errors is None
    (profile,) = without_typename(read.data)["cdpProfiles"]["profiles"]["nodes"]
    assert profile["email"] == "zoë@example.com"


@every(CLIENTS)
def test_user_errors_are_data(emulator: Emulator, client: GraphQLClient) -> None:
    outcome = client.send(UPSERT, input=batch("9999", "ada@example.com"))
    assert outcome.errors is None
    (error,) = without_typename(outcome.data)["upsertProfiles"]["userErrors"]
    assert error == {"message": "Advertiser 9999 could not be found.", "path": ["input", "advertiserId"]}


@every(CLIENTS)
def test_cursors_lead_through_all_pages(emulator: Emulator, client: GraphQLClient) -> None:
    ids: list[str] = []
    variables: dict[str, Any] = {"first": 1}
    while True:
        page = client.send(PAGE, **variables).data["advertisers"]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        variables["after"] = page["pageInfo"]["endCursor"]
    assert ids == [each.id for each in emulator.sandbox.workspace.advertisers]
    assert len(ids) > 1


@pytest.mark.parametrize("tested", CLIENTS, ids=str)
def test_the_documentation_lists_each_client_with_its_version(tested: Client) -> None:
    page = (REPOSITORY / "emulator/docs/clients.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith(f"| `{tested.name}` | {tested.version} |"))
    assert ERRORS[tested.name] in row


@every(CLIENTS)
def test_an_invalid_document_has_the_message_of_the_service(
    client: GraphQLClient, emulator: Emulator, request: pytest.FixtureRequest
) -> None:
    outcome = client.send("query User { user { email nope } }")
    assert outcome.errors == ['Cannot query field "nope" on type "User".']
    assert outcome.data is None
    assert outcome.thrown == {**ERRORS, "sgqlc": None}[request.node.callspec.params["client"].name]


@every(CLIENTS)
def test_a_missing_variable_has_the_message_of_the_service(client: GraphQLClient, emulator: Emulator) -> None:
    (message,) = client.send(PROFILES).errors or ()
    assert message.startswith('Variable "$advertiser" ')


@every(CLIENTS)
def test_an_unknown_token_has_the_message_of_the_service(client: GraphQLClient, emulator: Emulator) -> None:
    outcome = client.send(USER, token="wrong")
    (message,) = outcome.errors or ()
    assert message.startswith("Authentication is required")
    assert outcome.status in (401, None)
    (entry,) = journal(emulator)
    assert (entry["status"], entry["refusal"]) == (401, "unknown_token")


@every(CLIENTS)
def test_a_rate_limit_is_an_error_and_not_retried_by_default(client: GraphQLClient, emulator: Emulator) -> None:
    limit(emulator, times=1)
    outcome = client.send(UPSERT, input=batch(ADVERTISER, "ada@example.com"))
    assert outcome.data is None
    (message,) = outcome.errors or ()
    # Apollo does not read the body of such a response.
    assert "Too Many Requests" in message or "429" in message
    assert [entry["status"] for entry in journal(emulator)] == [429]


@every([*GQL_RETRY, APOLLO_RETRY])
def test_a_client_that_retries_gets_through_a_rate_limit(client: GraphQLClient, emulator: Emulator) -> None:
    limit(emulator, times=1)
    outcome = client.send(UPSERT, input=batch(ADVERTISER, "ada@example.com"))
    assert without_typename(outcome.data) == {"upsertProfiles": {"userErrors": []}}
    assert [entry["status"] for entry in journal(emulator)] == [429, 200]
    assert emulator.stackadapt.counts()["profiles"] == 1


@every([URQL, APOLLO, GRAPHQL_REQUEST, *GQL_CLIENTS])
def test_a_client_reads_the_whole_schema(client: GraphQLClient, emulator: Emulator) -> None:
    schema = executable_schema(LATEST)
    assert schema.query_type
    assert schema.mutation_type
    assert client.root_fields() == [*schema.query_type.fields, *schema.mutation_type.fields]


@every([APOLLO_PERSISTED])
def test_a_query_by_its_hash_is_refused(client: GraphQLClient, emulator: Emulator) -> None:
    assert client.send(USER).errors == ["Must provide query string."]


@every([URQL])
def test_urql_sends_short_queries_in_the_url(client: GraphQLClient, emulator: Emulator) -> None:
    client.send(USER)
    client.send(USER.ljust(4000))
    client.send(UPSERT, input=batch(ADVERTISER, "ada@example.com"))
    assert [entry["method"] for entry in journal(emulator)] == ["GET", "GET", "POST"]


@pytest.mark.python_client(SGQLC)
def test_sgqlc_generates_code_for_the_schema_that_runs(emulator: Emulator, tmp_path: Path) -> None:
    url, token = f"{emulator.url}/graphql", f"Authorization: Bearer {TOKEN}"
    run(python_packages.command(SGQLC), "-m", "sgqlc.introspection", "-H", token, url, "schema.json", folder=tmp_path)
    run(python_packages.command(SGQLC, "sgqlc-codegen"), "schema", "schema.json", "generated.py", folder=tmp_path)
    (tmp_path / "use.py").write_text(GENERATED, encoding="utf-8")
    assert run(python_packages.command(SGQLC), "use.py", url, folder=tmp_path).split() == ["[]", "ada@example.com"]


# sgqlc writes an object of the type JSON into the document as JSON, which is not GraphQL: the text of it is sent.
GENERATED = f"""
import sys
from sgqlc.endpoint.http import HTTPEndpoint
from sgqlc.operation import Operation
from generated import generated as schema

send = HTTPEndpoint(sys.argv[1], {{"Authorization": "Bearer {TOKEN}"}})
write = Operation(schema.Mutation)
profiles = '[{{"email": "ada@example.com"}}]'
write.upsert_profiles(input=schema.UpsertProfilesInput(
    advertiser_id="{ADVERTISER}", external_provider="segment_io", profiles=profiles
)).user_errors.message()
print((write + send(write)).upsert_profiles.user_errors)
read = Operation(schema.Query)
read.cdp_profiles(advertiser_id="{ADVERTISER}").profiles.nodes.email()
print(*(node.email for node in (read + send(read)).cdp_profiles.profiles.nodes))
"""


def run(*command: str, folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=SECONDS_ALLOWED, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
