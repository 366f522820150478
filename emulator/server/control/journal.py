"""The requests to `/graphql` in the journal: search, verification, deletion, and as a recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.events import BatchDelivered, GraphQLExchanged
from emulator.journal import Journal
from emulator.server.control.request_args import json_body, query_parameters
from emulator.server.feed import person_named
from emulator.server.services import CurrentServices, SandboxServices
from emulator.stackadapt import read_criteria


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/journal")
    def journal() -> Response:
        total, entries = _found(services(), dict(query_parameters()))
        return jsonify(total=total, entries=entries)

    @routes.get("/journal/recording")
    def recording() -> Response:
        # Asked seldom; recordings are replayed with httpx, which every start of a server would load with them.
        from emulator.harness.recordings import recorded

        _, entries = _found(services(), {**dict(query_parameters()), "mask": False, "content": True})
        lines = "".join(recorded(entries, upstream=f"{request.host_url}graphql"))
        return Response(lines, mimetype="application/x-ndjson")

    @routes.post("/journal/verify")
    def verify() -> Response:
        return jsonify(services().stackadapt.request_log.verify(json_body()))

    @routes.delete("/journal")
    def clear_journal() -> tuple[str, int]:
        services().stackadapt.request_log.clear()
        return "", 204


def _found(services: SandboxServices, asked: Mapping[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    return services.stackadapt.request_log.find(
        read_criteria(asked),
        only=_chosen(services, asked["messageId"], asked["person"]),
        mask=asked["mask"],
        content=asked["content"],
        limit=asked["limit"],
        offset=asked["offset"],
    )


def _chosen(
    services: SandboxServices, message_id: str | None, person: str | None
) -> Callable[[GraphQLExchanged], bool]:
    """Whether a request had an event in its batch, and is about a person; any request is without them."""
    traces = _traces_of(services.sandbox.journal, message_id)
    someone = None if person is None else person_named(services, person)

    def chosen(exchange: GraphQLExchanged) -> bool:
        return (traces is None or exchange.trace_id in traces) and (someone is None or someone.is_in(exchange))

    return chosen


def _traces_of(journal: Journal, message_id: str | None) -> set[str] | None:
    """The trace ids of the requests whose batch contained an event, retries too; None without a message id."""
    if message_id is None:
        return None
    batches = (batch for batch in journal.entries(BatchDelivered) if message_id in batch.message_ids)
    return {batch.trace_id for batch in batches if batch.trace_id}
