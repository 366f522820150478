"""graphql-js and GraphQL Yoga with the emulator's schema, in one Node process."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from emulator.artefacts import contract
from emulator.stackadapt.graphql.schema import API_VERSIONS

from .oracle import OracleError
from .packages import GRAPHQL_YOGA, NODE_FOLDER, package_directory


@dataclass(frozen=True, slots=True)
class YogaResponse:
    """A response of GraphQL Yoga; the body is None when it is not JSON."""

    status: int
    content_type: str | None
    body: Any


class GraphQLOracle:
    """`with GraphQLOracle("2026-06") as oracle: oracle.errors("{ nope }")`."""

    def __init__(self, api_version: str) -> None:
        self._schema = contract(API_VERSIONS[api_version].file)

    def __enter__(self) -> Self:
        script = NODE_FOLDER / "graphql.cjs"
        self._process = subprocess.Popen(
            ["node", str(script), str(package_directory(GRAPHQL_YOGA)), str(self._schema)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "NODE_ENV": "production"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def errors(self, query: str, variables: Mapping[str, Any] | None = None) -> list[dict[str, Any]] | None:
        """The errors of a request that cannot run, with the texts of graphql-js; None when it can run."""
        answer: list[dict[str, Any]] | None = self._ask({"errors": {"query": query, "variables": variables}})
        return answer

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> YogaResponse:
        """Yoga's response to an HTTP request."""
        encoded = {} if body is None else {"body": base64.b64encode(body).decode()}
        answer = self._ask({"send": {"method": method, "path": path, "headers": dict(headers), **encoded}})
        try:
            content = json.loads(answer["body"])
        except ValueError:
            content = None
        return YogaResponse(answer["status"], answer["contentType"], content)

    def _ask(self, question: Mapping[str, Any]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        # ASCII only: Node splits lines at U+2028.
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OracleError(f"graphql-js ended (exit code {self._process.wait()})")
        answer = json.loads(line)
        if isinstance(answer, dict) and "failure" in answer:
            raise OracleError(answer["failure"])
        return answer
