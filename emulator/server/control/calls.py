"""`GET /_emulator/calls`: the calls to the Tracking API that the journal has, filtered, from either end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.clock import to_iso
from emulator.events import CallReceived
from emulator.journal import Journal
from emulator.server.control.request_args import query_args
from emulator.server.services import CurrentServices

Asked = Mapping[str, Any]

# The cursor of the first page.
_NEWEST = "newest"


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/calls")
    def calls() -> Response:
        asked = query_args()
        journal = services().sandbox.journal
        if asked["before"] is not None:
            return jsonify(_newest_first(journal, asked))
        found = [call for call in journal.entries(CallReceived) if _matches(call, asked)]
        page = found[asked["offset"] : asked["offset"] + asked["limit"]]
        return jsonify(total=len(found), calls=[_shown(call, asked) for call in page])


def _newest_first(journal: Journal, asked: Asked) -> dict[str, Any]:
    """A page before a cursor, and the cursor of the page after it: calls that come in meanwhile move neither."""
    cursor = None if asked["before"] == _NEWEST else asked["before"]
    found = [(number, call) for number, call in journal.before(cursor, CallReceived) if _matches(call, asked)]
    page = found[asked["offset"] : asked["offset"] + asked["limit"]]
    more = len(found) > asked["offset"] + len(page)
    return {
        "total": len(found),
        "calls": [_shown(call, asked) for _, call in page],
        "next": journal.cursor(page[-1][0]) if page and more else None,
    }


def _matches(call: CallReceived, asked: Asked) -> bool:
    """Whether a call matches every filter that is given."""
    email, search = asked["email"], asked["search"]
    return (
        asked["accepted"] in (None, call.accepted)
        and asked["source"] in (None, call.source)
        and asked["reason"] in (None, call.reason)
        and asked["type"] in (None, call.call)
        and asked["user_id"] in (None, call.user_id)
        and asked["message_id"] in (None, call.message_id)
        and (email is None or (call.email or "").lower() == email.lower())
        and (search is None or _has(call, search.lower()))
    )


def _has(call: CallReceived, search: str) -> bool:
    texts = (call.user_id, call.email, call.message_id, call.event, call.call, call.reason)
    return any(search in text.lower() for text in texts if text)


def _shown(call: CallReceived, asked: Asked) -> dict[str, Any]:
    content = {"content": call.content} if asked["content"] else {}
    return {
        "at": to_iso(call.at),
        "source": call.source,
        "call": call.call,
        "event": call.event,
        "messageId": call.message_id,
        "userId": call.user_id,
        "email": call.email,
        "accepted": call.accepted,
        "status": call.status,
        "reason": call.reason,
        "message": call.message,
        "notes": list(call.notes),
        "credential": call.credential,
        **content,
    }
