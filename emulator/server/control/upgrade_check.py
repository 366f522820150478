"""What an upgrade of the published destination would do to the sandbox's workspace."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.durations import parse_duration
from emulator.errors import unknown
from emulator.mapping import generations
from emulator.server.control.plan import population_of
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices


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
            population_of(body, own),
            open_trial,
            source=body.get("from"),
            mappings=body.get("mappings", SAVED),
            further=parse_duration(body.get("advance", "1d"), where="advance"),
        )
        if asked["format"] == "markdown":
            return Response(check_as_markdown(found), content_type="text/markdown; charset=utf-8")
        return jsonify(found.as_dict())
