"""StackAdapt's segments, which its public API does not offer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.errors import InputError
from emulator.server.control.request_args import filters, json_body, page, refuse_unknown, text
from emulator.server.services import CurrentServices

_CHANGES = ("name", "rule")
_KEYS = ("advertiserId", *_CHANGES)
_UNKNOWN = "a segment has no such member, or it cannot be set."


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.post("/segments")
    def create_segment() -> tuple[Response, int]:
        body = json_body(required=_KEYS)
        refuse_unknown(body, _KEYS, _UNKNOWN)
        # A number is taken as well: StackAdapt's ids look like numbers.
        created = services().stackadapt.segments.create(str(body["advertiserId"]), text(body, "name"), body["rule"])
        return jsonify(created), 201

    @routes.get("/segments")
    def segments() -> Response:
        return jsonify(segments=services().stackadapt.segments.list())

    @routes.get("/segments/<segment_id>")
    def segment(segment_id: str) -> Response:
        filters()
        return jsonify(services().stackadapt.segments.get(segment_id, members=True, **page()))

    @routes.patch("/segments/<segment_id>")
    def update_segment(segment_id: str) -> Response:
        body = json_body()
        refuse_unknown(body, _CHANGES, _UNKNOWN)
        if not body:
            raise InputError("there is nothing to change", where="body", allowed=", ".join(_CHANGES))
        name = text(body, "name") if "name" in body else None
        return jsonify(services().stackadapt.segments.update(segment_id, name=name, rule=_rule(body)))

    @routes.delete("/segments/<segment_id>")
    def delete_segment(segment_id: str) -> tuple[str, int]:
        services().stackadapt.segments.delete(segment_id)
        return "", 204


def _rule(body: dict[str, Any]) -> Any:
    if "rule" in body and body["rule"] is None:
        raise InputError("a rule is an object", where="rule", hint="Leave it out to keep the rule.")
    return body.get("rule")
