"""What the requests of a sandbox show about the client that sent them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.journal import CAPACITY
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.post("/grade")
    def grade() -> Response:
        # Asked seldom, imports much.
        from emulator.harness.grade import Case, Grade, People, as_markdown, chosen, graded, recorded_run, secrets_of

        asked, body, own = query_args(), json_body(), services()
        points = chosen(body.get("only"))
        workspace = own.sandbox.workspace
        entries = own.stackadapt.request_log.find({}, limit=CAPACITY)[1]
        case = Case(
            runs=[recorded_run(entries, workspace)],
            consents=People(rows=body.get("people", [])).consents,
            secrets=secrets_of(workspace),
        )
        found = Grade(runs=case.runs, points=graded(case, points))
        if asked["format"] == "markdown":
            return Response(as_markdown(found), content_type="text/markdown; charset=utf-8")
        return jsonify(found.as_dict())
