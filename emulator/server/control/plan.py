"""What a change of the workspace would do to a population."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.durations import parse_duration
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices, SandboxServices
from emulator.workspace import parse_workspace


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.post("/plan")
    def plan() -> Response:
        # Asked seldom, imports much.
        from emulator.harness.plan import as_markdown
        from emulator.server.plan_runs import plan as planned_change

        asked, body, own = query_args(), json_body(), services()
        workspace = own.sandbox.workspace
        old = parse_workspace(body["old"], where="old") if "old" in body else workspace
        new = parse_workspace(body["new"], where="new")
        further = parse_duration(body.get("advance", "1d"), where="advance")
        found = planned_change(old, new, _population(body, own), further=further)
        if asked["format"] == "markdown":
            return Response(as_markdown(found), content_type="text/markdown; charset=utf-8")
        return jsonify(found.as_dict())


def _population(body: dict[str, Any], services: SandboxServices) -> Any:
    from emulator.harness.plan import generated_people, people_known

    if body.get("known"):
        return people_known(services)
    return generated_people(body.get("people", 1000), body.get("seed", 1))
