"""Published GraphQL clients, each in its own process: `with GraphQLClient(APOLLO, url) as client: client.send(…)`."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any, Self

from . import python_packages
from .packages import GRAPHQL_CLIENTS, package_directory
from .python_packages import GQL_3, GQL_4, PYTHON_FOLDER, SGQLC
from .served import TOKEN

SECONDS_ALLOWED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client, the package that it is installed with, and what its script calls it."""

    package: str
    script: str
    variant: str

    def __str__(self) -> str:
        return self.variant if self.in_node else f"{self.package} {self.variant}"

    @property
    def in_node(self) -> bool:
        return self.package == GRAPHQL_CLIENTS

    @property
    def name(self) -> str:
        """What npm or pip calls it."""
        if self.in_node:
            return {"urql": "@urql/core", "apollo": "@apollo/client"}.get(self.variant, self.variant)
        return self.package.partition("-")[0]

    @property
    def version(self) -> str:
        """The pinned version."""
        if self.in_node:
            document = json.loads((package_directory(self.package) / "package.json").read_text(encoding="utf-8"))
            return str(document["dependencies"][self.name])
        lines = python_packages.requirements(self.package).read_text(encoding="utf-8").splitlines()
        return next(line.partition("==")[2] for line in lines if line.startswith(f"{self.name}=="))


def _node(variant: str) -> Client:
    return Client(package=GRAPHQL_CLIENTS, script="client.mjs", variant=variant)


URQL, APOLLO, GRAPHQL_REQUEST = map(_node, ("urql", "apollo", "graphql-request"))
APOLLO_PERSISTED, APOLLO_RETRY = map(_node, ("apollo-persisted", "apollo-retry"))
GQL_CLIENTS = [
    Client(package=package, script="gql_client.py", variant=transport)
    for package in (GQL_3, GQL_4)
    for transport in ("requests", "aiohttp")
]
GQL_RETRY = [Client(package=package, script="gql_client.py", variant="requests-retry") for package in (GQL_3, GQL_4)]
SGQLC_CLIENTS = [Client(package=SGQLC, script="sgqlc_client.py", variant=endpoint) for endpoint in ("http", "requests")]
CLIENTS = [URQL, APOLLO, GRAPHQL_REQUEST, *GQL_CLIENTS, *SGQLC_CLIENTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a client returned to its caller: the data, or the messages of its errors.

    With errors, `status` is the HTTP status and `thrown` the class of the exception, where the client has them.
    """

    data: Any = None
    errors: list[str] | None = None
    status: int | None = None
    thrown: str | None = None


class GraphQLClient:
    """A client for the GraphQL API at a URL, with its defaults."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    def __enter__(self) -> Self:
        client = self._client
        if client.in_node:
            program = ["node", str(package_directory(client.package) / client.script)]
        else:
            program = [python_packages.command(client.package), str(PYTHON_FOLDER / client.script)]
        self._process = subprocess.Popen(
            [*program, client.variant, self._url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "NODE_ENV": "production", "NO_PROXY": "*"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=SECONDS_ALLOWED)

    def send(self, document: str, token: str = TOKEN, **variables: Any) -> Outcome:
        """Sends a query or mutation."""
        return self._ask({"document": document, "variables": variables, "token": token})

    def root_fields(self) -> list[str]:
        """The fields of Query and Mutation in the schema that the client fetched."""
        outcome = self._ask({"token": TOKEN})
        assert outcome.errors is None, outcome.errors
        fields: list[str] = outcome.data
        return fields

    def _ask(self, question: dict[str, Any]) -> Outcome:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(question)}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the client ended with code {self._process.wait()}"
        return Outcome(**json.loads(line))
