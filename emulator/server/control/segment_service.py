"""The Segment service: dead letters, audience memberships, previews, computations and deletions."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    _add_engage(routes, services)

    @routes.get("/dead-letters")
    def dead_letters() -> Response:
        return jsonify(deadLetters=services().segment.dead_letters(**query_args()))

    @routes.post("/dead-letters/replay")
    def replay() -> Response:
        body = json_body()
        replayed = services().segment.replay(
            destination=body.get("destination"), reason=body.get("reason"), message_ids=body.get("messageIds")
        )
        return jsonify(replayed=replayed)


def _add_engage(routes: Blueprint, services: CurrentServices) -> None:
    def set_membership(key: str, *, entered: bool) -> Response:
        body = json_body()
        events = services().segment.set_membership(
            key,
            entered=entered,
            user_id=body.get("userId"),
            email=body.get("email"),
            traits=body.get("traits", {}),
        )
        return jsonify(events=events)

    @routes.post("/audiences/<key>/enter")
    def enter(key: str) -> Response:
        return set_membership(key, entered=True)

    @routes.post("/audiences/<key>/exit")
    def leave(key: str) -> Response:
        return set_membership(key, entered=False)

    @routes.post("/audiences/<key>/compute")
    def compute(key: str) -> Response:
        body = json_body()
        computed = services().segment.compute(key, body.get("destination"), resync=body.get("resync", False))
        return jsonify(audience=key, **computed)

    @routes.post("/audiences/preview")
    def preview() -> Response:
        item, document = json_body(), document_of(services().sandbox.workspace)
        audiences = document.setdefault("audiences", [])
        audiences[:] = [*(each for each in audiences if each["key"] != item.get("key")), item]
        workspace = parse_workspace(document)
        return jsonify(services().segment.preview(workspace, workspace.audiences[-1]))

    @routes.post("/regulations")
    def regulate() -> Response:
        body = json_body()
        if "userId" in body:
            return jsonify(services().segment.delete(body["userId"]))
        return jsonify(services().segment.regulate(body["regulationType"], body["subjectIds"]))

    @routes.get("/regulations")
    def regulations() -> Response:
        return jsonify(regulations=services().segment.regulations(**query_args()))

    @routes.get("/suppressions")
    def suppressions() -> Response:
        return jsonify(suppressions=services().segment.suppressions(**query_args()))
