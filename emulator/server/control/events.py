"""`GET /_emulator/events`: the feed of everything that happened, to be read from a cursor on."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.clock import stopwatch
from emulator.server.control.request_args import query_args
from emulator.server.control.wait import CannotWait, one_of_few, read_timeout, wait_for_change
from emulator.server.feed import chosen_kinds, page_of, person_named
from emulator.server.services import CurrentServices, SandboxServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.get("/events")
    def events() -> Response | tuple[Response, int, dict[str, str]]:
        asked = query_args()
        wait = asked.pop("wait")
        timeout = timedelta() if wait is None else read_timeout(wait, where="wait")
        try:
            with one_of_few() if timeout else nullcontext():
                return _awaited(services, asked, timeout.total_seconds())
        except CannotWait as busy:
            return jsonify(busy.as_dict()), 503, {"Retry-After": "1"}


def _awaited(services: CurrentServices, asked: dict[str, Any], seconds: float) -> Response:
    """The page that was asked for, as soon as there is news on it or the time is over.

    Raises CannotWait when the emulator stops.
    """
    elapsed = stopwatch()
    while True:
        # Addressed anew each time: the sandbox may have been deleted.
        current = services()
        seen = current.changes.number
        response, is_news = _page(current, **asked)
        left = seconds - elapsed() / 1000.0
        if is_news or left <= 0:
            return response
        wait_for_change(current.changes, seen, left)


def _page(
    current: SandboxServices, *, after: str | None, kinds: str | None, person: str | None, limit: int, mask: bool
) -> tuple[Response, bool]:
    """A page of the feed, and whether it has anything that the client does not know. Raises InputError."""
    wanted = chosen_kinds(kinds)
    current.process_due_when_needed()
    journal = current.sandbox.journal
    following = journal.after(after)
    # Whatever else is asked for, the page is the same as long as nothing happens.
    tag = journal.cursor(following.last)
    if request.if_none_match.contains(tag):
        response, is_news = Response(status=304), False
    else:
        about = person_named(current, person) if person is not None and following.events else None
        page = page_of(journal, following, kinds=wanted, person=about, limit=limit, mask=mask)
        response, is_news = jsonify(page), bool(page["events"] or page["missed"])
    response.set_etag(tag)
    return response, is_news
