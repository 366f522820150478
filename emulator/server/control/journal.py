"""Looking back: what was asked of `/graphql`, what was answered, and whether it was asked at all."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from emulator.server.control.request_args import filters, flag, json_body, page
from emulator.server.services import CurrentServices
from emulator.stackadapt.request_log.search import CRITERIA, read_criteria


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/journal")
    def journal() -> Response:
        filters(*CRITERIA, "mask")
        total, entries = services().stackadapt.exchanges.find(
            read_criteria(request.args), mask=bool(flag("mask")), **page()
        )
        return jsonify(total=total, entries=entries)

    @routes.post("/journal/verify")
    def verify() -> Response:
        return jsonify(services().stackadapt.exchanges.verify(json_body()))

    @routes.delete("/journal")
    def clear_journal() -> tuple[str, int]:
        services().stackadapt.exchanges.clear()
        return "", 204
