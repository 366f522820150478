"""What a recorded request asks for."""

from __future__ import annotations

import json

from graphql import GraphQLError

from emulator.faults import RequestSummary
from emulator.harness.recordings.exchange import Exchange
from emulator.stackadapt.graphql.document import chosen_operation, parse_document
from emulator.stackadapt.graphql.request_body import BadBody, read_body
from emulator.stackadapt.graphql.request_contents import contents_of, summary_of
from emulator.stackadapt.limits import Limits


def asked_in(exchange: Exchange) -> RequestSummary | None:
    """Root fields, advertisers, and whether anything is to be changed; None for a request that cannot be read."""
    try:
        params = read_body(json.dumps(exchange.request).encode())
        document = parse_document(params.query, Limits())
    except (BadBody, GraphQLError):
        return None
    operation = chosen_operation(document, params.operation_name)
    if isinstance(operation, GraphQLError):
        return None
    return summary_of(operation, contents_of(document, operation, params.variables))


def title_of(exchange: Exchange) -> str:
    """`mutation upsertProfiles`."""
    asked = asked_in(exchange)
    if asked is None:
        return "a request that cannot be read"
    return f"{'mutation' if asked.mutates else 'query'} {', '.join(dict.fromkeys(asked.operations))}"
