"""A second peer: the stub that one would write in Python. Ariadne under uvicorn, profiles in a dictionary.

python -m tests.bench.naive   →   one line of JSON: the port
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import uvicorn
from ariadne import MutationType, QueryType, load_schema_from_path, make_executable_schema
from ariadne.asgi import GraphQL

from emulator.artefacts import contract
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST

query = QueryType()
mutation = MutationType()
profiles: dict[str, dict[str, Any]] = {}


@query.field("user")
def user(*_: Any) -> dict[str, str]:
    return {"email": "integration@example.com"}


@mutation.field("upsertProfileMapping")
@mutation.field("upsertExternalAudienceMapping")
def succeed(*_: Any, **__: Any) -> dict[str, Any]:
    return {"userErrors": []}


@mutation.field("upsertProfiles")
def upsert_profiles(*_: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - the schema's name
    for profile in json.loads(input["profiles"]):
        profiles.setdefault(profile["email"].lower(), {}).update(profile)
    return {"userErrors": []}


async def serve() -> None:
    schema = make_executable_schema(load_schema_from_path(str(contract(API_VERSIONS[LATEST].file))), query, mutation)
    # asyncio disables Nagle's algorithm only where the protocol is given; with it, a response takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    config = uvicorn.Config(GraphQL(schema), log_level="error", access_log=False)
    await uvicorn.Server(config).serve([listening])


if __name__ == "__main__":
    asyncio.run(serve())
