"""StackAdapt's segments, which its public API does not offer."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.reading import Chosen, json_body, page, text


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.post("/segments")
    def create_segment() -> tuple[Response, int]:
        body = json_body(required=("advertiserId", "name", "rule"))
        created = world().stackadapt.segments.create(str(body["advertiserId"]), text(body, "name"), body["rule"])
        return jsonify(created), 201

    @routes.get("/segments")
    def segments() -> Response:
        return jsonify(segments=world().stackadapt.segments.list())

    @routes.get("/segments/<segment_id>")
    def segment(segment_id: str) -> Response:
        return jsonify(world().stackadapt.segments.get(segment_id, members=True, **page()))

    @routes.delete("/segments/<segment_id>")
    def delete_segment(segment_id: str) -> tuple[str, int]:
        world().stackadapt.segments.delete(segment_id)
        return "", 204
