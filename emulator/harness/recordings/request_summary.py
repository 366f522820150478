"""Summarizes a recorded request."""

from __future__ import annotations

import json

from graphql import GraphQLError

from emulator.faults import RequestSummary
from emulator.harness.recordings.exchange import Exchange
from emulator.stackadapt.graphql.document import chosen_operation, parse_document
from emulator.stackadapt.graphql.request_body import BadBody, read_body
from emulator.stackadapt.graphql.request_contents import contents_of, summary_of
from emulator.stackadapt.limits import Limits


def request_summary(exchange: Exchange) -> RequestSummary | None:
    """Root fields, advertisers, and whether it is a mutation; None for an unreadable request."""
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
    summary = request_summary(exchange)
    if summary is None:
        return "unreadable request"
    return f"{'mutation' if summary.mutates else 'query'} {', '.join(dict.fromkeys(summary.operations))}"
