"""Looking back: what was asked of `/graphql`, what was answered, and whether it was asked at all."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from emulator.server.control.request_args import Chosen, filters, flag, json_body, page
from emulator.stackadapt.request_log.search import CRITERIA, read_criteria


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.get("/journal")
    def journal() -> Response:
        filters(*CRITERIA, "mask")
        total, entries = world().stackadapt.exchanges.find(
            read_criteria(request.args), mask=bool(flag("mask")), **page()
        )
        return jsonify(total=total, entries=entries)

    @routes.post("/journal/verify")
    def verify() -> Response:
        return jsonify(world().stackadapt.exchanges.verify(json_body()))

    @routes.delete("/journal")
    def clear_journal() -> tuple[str, int]:
        world().stackadapt.exchanges.clear()
        return "", 204
