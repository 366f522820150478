"""`GET /_emulator/coverage`: what the sandbox has exercised of triggers, mappings and both services."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/coverage")
    def coverage() -> Response:
        # Asked seldom, imports much.
        from emulator.harness.coverage import as_markdown
        from emulator.harness.coverage.observed import observed

        current = services()
        current.process_due()
        found = observed(current)
        if query_args()["format"] == "markdown":
            return Response(as_markdown(found), content_type="text/markdown; charset=utf-8")
        return jsonify(found.as_dict())
