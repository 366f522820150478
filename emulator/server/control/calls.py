"""What came in through the Tracking API, and what Segment dropped although it answered that all was well."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.clock import to_iso
from emulator.events import CallReceived
from emulator.server.control.request_args import filters, flag, page
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/calls")
    def calls() -> Response:
        filters("accepted")
        accepted, asked = flag("accepted"), page()
        received = services().sandbox.journal.entries(CallReceived)
        found = [call for call in received if accepted is None or call.accepted == accepted]
        shown = found[asked["offset"] : asked["offset"] + asked["limit"]]
        return jsonify(total=len(found), calls=[_shown(call) for call in shown])


def _shown(call: CallReceived) -> dict[str, Any]:
    return {
        "at": to_iso(call.at),
        "source": call.source,
        "call": call.call,
        "messageId": call.message_id,
        "accepted": call.accepted,
        "reason": call.reason,
    }
