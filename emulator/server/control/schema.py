"""The schema of `/graphql`, without a request to it: a fault, the rate limit or a token would be in the way."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify
from graphql import introspection_from_schema

from emulator.server.services import CurrentServices
from emulator.stackadapt.graphql.schema import executable_schema


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/schema")
    def schema() -> Response:
        api_version = services().sandbox.workspace.api_version
        return jsonify(apiVersion=api_version, data=_introspected(api_version))


@cache
def _introspected(api_version: str) -> Any:
    return introspection_from_schema(executable_schema(api_version))
