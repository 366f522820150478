"""`GET /_emulator/funnel`: Segment's steps with their counts, and how the deliveries ended at StackAdapt."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/funnel")
    def funnel() -> Response:
        from emulator.harness import funnel as asked  # seldom, imports much

        current = services()
        current.process_due()
        return jsonify(asked.funnel(current, **query_args()))
