"""Prints what the installed emulator answers to the requests of a file, a JSON line each.

Runs with the Python of any environment and imports nothing of the checkout: python answers.py REQUESTS
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import graphql
from werkzeug.test import Client

from emulator import Emulator
from emulator.errors import InputError
from emulator.harness.drift import read_schema, schema_drift
from emulator.workspace import load_workspace

OWN_DIRECTIVES = [directive.name for directive in graphql.specified_directives]
TOKEN = {"Authorization": "Bearer sa-local-write"}


def of_graphql(api_version: str, requests: list[Any]) -> Iterator[list[Any]]:
    """The answers of `/graphql`."""
    with Emulator(replace(load_workspace(), api_version=api_version)) as emulator:
        # That of Flask 2.3 asks Werkzeug for a version that newer ones do not have.
        client = Client(emulator.app)
        for query, variables in requests:
            response = client.post("/graphql", json={"query": query, "variables": variables}, headers=TOKEN)
            yield [api_version, query, variables, response.status_code, _of_the_service(response.text)]


def of_drift(name: str, schema: str, path: Path, api_version: str) -> Iterator[list[Any]]:
    """What changed from the contract to a schema, read as SDL and as the introspection of it."""
    path.write_text(schema, encoding="utf-8")
    for form in ("sdl", "introspection"):
        try:
            if form == "introspection":
                built = graphql.build_schema(schema)
                path.write_text(json.dumps(graphql.introspection_from_schema(built)), encoding="utf-8")
            yield [name, form, [each.as_dict() for each in schema_drift(read_schema(path), api_version)]]
        except InputError as refused:
            yield [name, form, str(refused).replace(str(path), "FILE")]
            return


def _of_the_service(text: str) -> Any:
    """An introspection without what the library says of itself: its own types and directives."""
    schema = (json.loads(text).get("data") or {}).get("__schema")
    if schema is None:
        return text
    return [
        [each for each in schema["types"] if not each["name"].startswith("__")],
        [each for each in schema["directives"] if each["name"] not in OWN_DIRECTIVES],
        {name: value for name, value in schema.items() if name not in ("types", "directives")},
    ]


def answers(asked: dict[str, Any], folder: Path) -> Iterator[list[Any]]:
    for api_version, requests in asked["requests"].items():
        yield from of_graphql(api_version, requests)
    for name, schema in asked["schemas"].items():
        yield from of_drift(name, schema, folder / "schema.graphql", next(iter(asked["requests"])))


if __name__ == "__main__":
    source = Path(sys.argv[1])
    for answer in answers(json.loads(source.read_text(encoding="utf-8")), source.parent):
        print(json.dumps(answer))
