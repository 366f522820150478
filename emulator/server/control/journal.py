"""The requests to `/graphql` in the journal: search, verification, deletion."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.events import BatchDelivered
from emulator.journal import Journal
from emulator.server.control.request_args import json_body, query_parameters
from emulator.server.services import CurrentServices
from emulator.stackadapt import read_criteria


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/journal")
    def journal() -> Response:
        asked = dict(query_parameters())
        total, entries = services().stackadapt.request_log.find(
            read_criteria(asked),
            trace_ids=_traces_of(services().sandbox.journal, asked["messageId"]),
            mask=asked["mask"],
            limit=asked["limit"],
            offset=asked["offset"],
        )
        return jsonify(total=total, entries=entries)

    @routes.post("/journal/verify")
    def verify() -> Response:
        return jsonify(services().stackadapt.request_log.verify(json_body()))

    @routes.delete("/journal")
    def clear_journal() -> tuple[str, int]:
        services().stackadapt.request_log.clear()
        return "", 204


def _traces_of(journal: Journal, message_id: str | None) -> set[str] | None:
    """The trace ids of the requests whose batch contained an event, retries too; None without a message id."""
    if message_id is None:
        return None
    batches = (batch for batch in journal.entries(BatchDelivered) if message_id in batch.message_ids)
    return {batch.trace_id for batch in batches if batch.trace_id}
