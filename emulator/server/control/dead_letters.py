"""The events that Segment's side could not deliver: look at them, send them once more."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.errors import InputError
from emulator.server.control.request_args import filters, json_body, page, refuse_unknown, text
from emulator.server.services import CurrentServices

_KEYS = ("destination", "reason", "messageIds")
_MOST_MESSAGES = 10_000


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/dead-letters")
    def dead_letters() -> Response:
        services().segment.process_due()
        asked = filters("destination", "reason")
        found = services().segment.dead_letters(destination=asked["destination"], reason=asked["reason"], **page())
        return jsonify(deadLetters=found)

    @routes.post("/dead-letters/replay")
    def replay() -> Response:
        body = json_body() if request.get_data() else {}
        refuse_unknown(body, _KEYS, "dead letters are not chosen by this.")
        chosen: dict[str, Any] = {key: text(body, key) for key in ("destination", "reason") if key in body}
        if "messageIds" in body:
            chosen["message_ids"] = _message_ids(body["messageIds"])
        return jsonify(replayed=services().segment.replay(**chosen))


def _message_ids(value: Any) -> list[str]:
    if isinstance(value, list) and len(value) <= _MOST_MESSAGES and all(isinstance(item, str) for item in value):
        return value
    raise InputError(
        "these are not message ids",
        where="messageIds",
        found=f"a list of {len(value)}" if isinstance(value, list) else value,
        allowed=f"a list of up to {_MOST_MESSAGES} texts",
    )
