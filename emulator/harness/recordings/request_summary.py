"""What a recorded request asks for."""

from __future__ import annotations

import json

from emulator.faults import RequestSummary
from emulator.harness.recordings.exchange import Exchange
from emulator.stackadapt import Limits, parse_body


def asked_in(exchange: Exchange) -> RequestSummary | None:
    """Root fields, advertisers, and whether it is a mutation; None for a request that cannot be parsed."""
    parsed = parse_body(json.dumps(exchange.request).encode(), Limits())
    return parsed.summary if parsed else None


def title_of(exchange: Exchange) -> str:
    """`mutation upsertProfiles`."""
    summary = asked_in(exchange)
    if summary is None:
        return "a request that cannot be parsed"
    return f"{'mutation' if summary.mutates else 'query'} {', '.join(dict.fromkeys(summary.operations))}"
