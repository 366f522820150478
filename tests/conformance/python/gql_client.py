"""`gql` with its defaults: `python gql_client.py TRANSPORT URL`, where TRANSPORT is `requests`, `requests-retry` or
`aiohttp`.

Reads one request per line (JSON) on standard input, `{"document", "variables", "token"}`, or `{"token"}` alone for the
schema, and writes one outcome per line: `{"data", "errors", "status", "thrown"}` with the messages of the errors that
the client hands to its caller, the HTTP status if it does, and the class of the error. The outcome of the schema has
the root fields as `data`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportError
from gql.transport.requests import RequestsHTTPTransport

TRANSPORTS: dict[str, Any] = {
    "requests": RequestsHTTPTransport,
    "requests-retry": lambda url, headers: RequestsHTTPTransport(url, headers=headers, retries=2),
    "aiohttp": AIOHTTPTransport,
}
# Version 3 has the variables as an argument, version 4 in the request.
IN_REQUEST = hasattr(gql("{ a }"), "variable_values")


def outcome(transport: Any, document: str | None, variables: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"data": root_fields(transport) if document is None else execute(transport, document, variables)}
    except TransportError as error:
        errors = getattr(error, "errors", None) or [{"message": str(error)}]
        return {
            "errors": [each["message"] for each in errors],
            "status": getattr(error, "code", None),
            "thrown": type(error).__name__,
        }


def execute(transport: Any, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    client, request = Client(transport=transport), gql(document)
    if not IN_REQUEST:
        return client.execute(request, variable_values=variables)
    request.variable_values = variables
    return client.execute(request)


def root_fields(transport: Any) -> list[str]:
    client = Client(transport=transport, fetch_schema_from_transport=True)
    # The schema is fetched with the first request, which is checked with it.
    client.execute(gql("{ __typename }"))
    return [*client.schema.query_type.fields, *client.schema.mutation_type.fields]


def main(name: str, url: str) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        transport = TRANSPORTS[name](url, headers={"Authorization": f"Bearer {request['token']}"})
        found = outcome(transport, request.get("document"), request.get("variables") or {})
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
