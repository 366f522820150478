"""Routes for StackAdapt segments, which its public API cannot create."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.post("/segments")
    def create_segment() -> tuple[Response, int]:
        body = json_body()
        # An integer is accepted too: StackAdapt's ids look like integers.
        created = services().stackadapt.segments.create(str(body["advertiserId"]), body["name"], body["rule"])
        return jsonify(created), 201

    @routes.get("/segments")
    def segments() -> Response:
        return jsonify(segments=services().stackadapt.segments.list())

    @routes.post("/segments/preview")
    def preview_segment() -> Response:
        asked, body = query_args(), json_body()
        shown = services().stackadapt.segments.preview(str(body["advertiserId"]), body["rule"], **asked)
        return jsonify(shown)

    @routes.get("/segments/values")
    def segment_values() -> Response:
        return jsonify(values=services().stackadapt.segments.values(**query_args()))

    @routes.get("/segments/<segment_id>")
    def segment(segment_id: str) -> Response:
        return jsonify(services().stackadapt.segments.get(segment_id, members=True, **query_args()))

    @routes.patch("/segments/<segment_id>")
    def update_segment(segment_id: str) -> Response:
        return jsonify(services().stackadapt.segments.update(segment_id, **json_body()))

    @routes.delete("/segments/<segment_id>")
    def delete_segment(segment_id: str) -> tuple[str, int]:
        services().stackadapt.segments.delete(segment_id)
        return "", 204
