"""Doing by hand what Engage computes, computing for everybody, and what a privacy team asks of Segment."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.errors import InputError
from emulator.server.control.request_args import json_body, refuse_unknown, text
from emulator.server.services import CurrentServices

_PERSON = ("userId", "email", "traits")


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    def place(key: str, *, entered: bool) -> Response:
        return jsonify(events=services().segment.set_membership(key, entered=entered, **_person(json_body())))

    @routes.post("/audiences/<key>/enter")
    def enter(key: str) -> Response:
        return place(key, entered=True)

    @routes.post("/audiences/<key>/exit")
    def leave(key: str) -> Response:
        return place(key, entered=False)

    @routes.post("/audiences/<key>/compute")
    def compute(key: str) -> Response:
        body = json_body() if request.get_data() else {}
        refuse_unknown(body, ("destination",), "a computation has no such setting.")
        destination = text(body, "destination") if body else None
        return jsonify(audience=key, **services().segment.compute(key, destination))

    @routes.post("/regulations")
    def regulate() -> Response:
        body = json_body(required=("userId",))
        refuse_unknown(body, ("userId",), "a regulation names a user, and nothing else here.")
        return jsonify(services().segment.delete(text(body, "userId")))


def _person(body: dict[str, Any]) -> dict[str, Any]:
    refuse_unknown(body, _PERSON, "a person is told by these members.")
    traits = body.get("traits", {})
    if not isinstance(traits, dict):
        raise InputError("traits are an object", where="traits", found=traits)
    return {
        "user_id": text(body, "userId") if "userId" in body else None,
        "email": text(body, "email") if "email" in body else None,
        "traits": traits,
    }
