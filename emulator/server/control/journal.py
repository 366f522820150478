"""The requests to `/graphql` in the journal: search, verification, deletion."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from emulator.server.control.request_args import Chosen, filters, flag, json_body, page
from emulator.stackadapt import CRITERIA, read_criteria


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.get("/journal")
    def journal() -> Response:
        filters(*CRITERIA, "mask")
        total, entries = world().stackadapt.request_log.find(
            read_criteria(request.args), mask=bool(flag("mask")), **page()
        )
        return jsonify(total=total, entries=entries)

    @routes.post("/journal/verify")
    def verify() -> Response:
        return jsonify(world().stackadapt.request_log.verify(json_body()))

    @routes.delete("/journal")
    def clear_journal() -> tuple[str, int]:
        world().stackadapt.request_log.clear()
        return "", 204
