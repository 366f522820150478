"""The Segment service: calls, dead letters, audience memberships, computations and deletions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.clock import to_iso
from emulator.events import CallReceived
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    _add_engage(routes, services)

    @routes.get("/calls")
    def calls() -> Response:
        asked = query_args()
        received = services().sandbox.journal.entries(CallReceived)
        found = [call for call in received if _matches(call, asked)]
        page = found[asked["offset"] : asked["offset"] + asked["limit"]]
        return jsonify(total=len(found), calls=[_shown(call) for call in page])

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


def _matches(call: CallReceived, asked: Mapping[str, Any]) -> bool:
    """Whether a call matches every filter that is given."""
    email = asked["email"]
    return (
        asked["accepted"] in (None, call.accepted)
        and asked["user_id"] in (None, call.user_id)
        and asked["message_id"] in (None, call.message_id)
        and (email is None or (call.email or "").lower() == email.lower())
    )


def _shown(call: CallReceived) -> dict[str, Any]:
    return {
        "at": to_iso(call.at),
        "source": call.source,
        "call": call.call,
        "messageId": call.message_id,
        "userId": call.user_id,
        "email": call.email,
        "accepted": call.accepted,
        "status": call.status,
        "reason": call.reason,
        "message": call.message,
        "notes": list(call.notes),
        "credential": call.credential,
    }
