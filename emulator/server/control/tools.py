"""What the commands `explain`, `map`, `lint` and `validate` do with files, with bodies of requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.mapping import stringify
from emulator.segment.lookups import check_destination
from emulator.server.control.request_args import json_body
from emulator.server.services import CurrentServices
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    # Asked seldom, what the views import themselves takes long.

    def asked() -> tuple[dict[str, Any], Workspace]:
        body = json_body()
        return body, _workspace_in(body, services().sandbox.workspace)

    @routes.post("/explain")
    def explain() -> Response:
        from emulator.server.explained import explained

        body, workspace = asked()
        chosen = {name: body.get(name) for name in ("subscription", "trigger")}
        found = explained(body["event"], workspace, body.get("destination"), services().sandbox.clock.now(), **chosen)
        # As JavaScript writes it: undefined members of a field's value are omitted.
        text = stringify({"explanations": [asdict(explanation) for _, explanation in found]})
        return jsonify(json.loads(str(text)))

    @routes.post("/map")
    def map_events() -> Response:
        from emulator.harness.preview import preview
        from emulator.harness.subscription_context import contexts_of

        body, workspace = asked()
        events = body["events"] if "events" in body else [body["event"]]
        contexts = contexts_of(workspace, body.get("destination"))
        found = preview(events, contexts, batch=body.get("batch", False))
        return jsonify(requests=[asdict(each) for each in found])

    @routes.post("/lint")
    def lint() -> Response:
        from emulator.harness.checks import lint as checks

        _, workspace = asked()
        return jsonify(findings=[finding.as_dict() for finding in checks(workspace)])

    @routes.post("/validate")
    def validate() -> Response:
        from emulator.harness.checks import Summary, check_document
        from emulator.harness.checks.document_kinds import kind_named
        from emulator.harness.event_files import Document

        own = services().sandbox.workspace
        given = json_body() or {"workspace": document_of(own)}
        ((name, value),) = given.items()
        kind = None if name == "event" else kind_named(name)
        checked, summary = check_document(Document(file=name, value=value), kind), Summary()
        summary.add(checked)
        return jsonify(summary=summary.as_dict(), findings=checked.as_dicts())


def _workspace_in(body: Mapping[str, Any], own: Workspace) -> Workspace:
    """The workspace of a body, else the sandbox's own, with the mapping of the body in the subscriptions of the
    destination instance that it names, or of the first. Raises WorkspaceError, NotFound.
    """
    workspace = parse_workspace(body["workspace"]) if "workspace" in body else own
    if "destination" in body or "mapping" in body:
        name = body.get("destination", next((known.name for known in workspace.destinations), None))
        check_destination(workspace, name)
    if "mapping" not in body:
        return workspace
    destinations = (
        replace(known, subscriptions=tuple(replace(each, mapping=body["mapping"]) for each in known.subscriptions))
        if known.name == name
        else known
        for known in workspace.destinations
    )
    return replace(workspace, destinations=tuple(destinations))
