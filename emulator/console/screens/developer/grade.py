"""Grade: what the requests in the journal of the sandbox show about the client that sent them."""

from __future__ import annotations

from typing import Any, Final

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.developer.documentation import page_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import View

_WITHOUT: Final = "without"
# By result, in the order of the page: the sign before it, and its class.
_RESULTS: Final = {"failed": ("✗", "bad"), "passed": ("✓", "good"), "not seen": ("–", "hint")}
# Of a point, as much evidence as a row has place for.
_SHOWN: Final = 5


def _values(api: ControlAPI, view: View) -> Values:
    emails = [email.strip() for email in (view.get(_WITHOUT) or "").splitlines() if email.strip()]
    body = {"people": [{"email": email, "consent": "no"} for email in emails]}
    shown: dict[str, Any] = {"emails": emails, "curl": view.curl("grade", sent={} if view.masked else body)}
    try:
        grade = api.post("grade", body)
    except Refused as refused:
        return {**shown, "grade": None, "problem": refused.error}
    points = sorted(grade["points"], key=lambda point: [*_RESULTS].index(point["result"]))
    return {
        **shown,
        "grade": grade,
        "requests": sum(run["requests"] for run in grade["runs"]),
        "points": [_point(view, each) for each in points],
    }


def _point(view: View, point: dict[str, Any]) -> dict[str, Any]:
    page, _, heading = point["read"].partition("#")
    sign, kind = _RESULTS[point["result"]]
    return {
        **point,
        "sign": sign,
        "kind": kind,
        "link": page_link(view, page.removesuffix(".md"), heading),
        "evidence": [_evidence(view, each) for each in point["evidence"][:_SHOWN]],
        "more": max(0, len(point["evidence"]) - _SHOWN),
    }


def _evidence(view: View, each: dict[str, Any]) -> dict[str, Any]:
    """What was seen, and a link to each of the requests that show it."""
    requests = zip(each["requests"], each["traceIds"], strict=True)
    return {
        "text": each["text"],
        "requests": [(f"#{number}", view.link("requests", trace=trace)) for number, trace in requests],
    }


SCREEN = Screen(
    group="Developer",
    name="Grade",
    path="requests/grade",
    template="developer/grade",
    values=_values,
    under="requests",
)
