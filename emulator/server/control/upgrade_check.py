"""What an upgrade of the published destination would do to the sandbox's workspace."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.durations import parse_duration
from emulator.errors import unknown
from emulator.mapping import generations
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices, SandboxServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.post("/upgrade-check")
    def upgrade_check() -> Response:
        # Asked seldom, imports much.
        from emulator.harness.upgrade import SAVED, built_in, check_as_markdown
        from emulator.harness.upgrade import upgrade_check as checked
        from emulator.server.trial import open_trial

        asked, body, own = query_args(), json_body(), services()
        for name in ("from", "to"):
            if name in body and body[name] not in generations():
                raise unknown("generation", body[name], generations(), where=name)
        found = checked(
            own.sandbox.workspace,
            [built_in(body["to"])],
            _population(body, own),
            open_trial,
            source=body.get("from"),
            mappings=body.get("mappings", SAVED),
            further=parse_duration(body.get("advance", "1d"), where="advance"),
        )
        if asked["format"] == "markdown":
            return Response(check_as_markdown(found), content_type="text/markdown; charset=utf-8")
        return jsonify(found.as_dict())


def _population(body: dict[str, Any], services: SandboxServices) -> Any:
    from emulator.harness.plan import generated_people, people_known

    if body.get("known"):
        return people_known(services)
    return generated_people(body.get("people", 1000), body.get("seed", 1))
