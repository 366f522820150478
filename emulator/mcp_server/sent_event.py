"""One call or audience event of an assistant, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.errors import InputError
from emulator.harness.client import Endpoint, SegmentClient, timeline_of
from emulator.harness.triggered import arrived, in_audience

_ENTERED, _EXITED = "audience-entered", "audience-exited"
# The members of each call besides its user, as the tool and as Segment names them; the first is required of some.
EVENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "identify": {"traits": "traits"},
    "track": {"event": "event", "properties": "properties"},
    "page": {"name": "name", "properties": "properties"},
    "screen": {"name": "name", "properties": "properties"},
    "group": {"group_id": "groupId", "traits": "traits"},
    _ENTERED: {"audience": "audience", "traits": "traits"},
    _EXITED: {"audience": "audience", "traits": "traits"},
}
_REQUIRED: Final = frozenset({"event", "group_id", "audience"})
_SHARED: Final = frozenset({"type", "user_id", "email", "context"})


def send_event(endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """Sends it, and returns what is new in the timeline of its person, with `result` and `text`. Raises InputError."""
    kind, email = given["type"], given.get("email")
    _check(kind, given)
    segment = SegmentClient(endpoint)
    user_id = given.get("user_id") or segment.user_id_of(email)
    before = timeline_of(endpoint, email=email, user_id=user_id)
    if kind in (_ENTERED, _EXITED):
        move = segment.enter_audience if kind == _ENTERED else segment.exit_audience
        move(given["audience"], email=email, user_id=user_id, traits=given.get("traits"))
    else:
        segment.call(kind, {"userId": user_id, **_content(kind, given)})
    after = timeline_of(endpoint, email=email, user_id=user_id).since(before)
    if kind in (_ENTERED, _EXITED):
        listed = endpoint.control.get("audiences")["audiences"]
        names = (given["audience"], *(each["id"] for each in listed if each["key"] == given["audience"]))
        result = in_audience(after, names, entered=kind == _ENTERED)
    else:
        result = arrived(after)
    return {"result": result, "text": str(after), **after.as_dict()}


def _check(kind: str, given: Mapping[str, Any]) -> None:
    """Raises InputError for an argument that is missing, or that this type of event does not have."""
    where = f"send_event: {kind}"
    if "email" not in given and "user_id" not in given:
        raise InputError("a person is required", where=where, allowed="user_id, email or both")
    members = EVENTS[kind]
    for name in members:
        if name in _REQUIRED and name not in given:
            raise InputError(f"{name!r} is required", where=where, allowed=", ".join(members))
    for name in given:
        if name not in members and (name not in _SHARED or (name == "context" and kind in (_ENTERED, _EXITED))):
            raise InputError(f"{name!r} is not for this type", where=where, allowed=", ".join(members))


def _content(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    content = {name: given[key] for key, name in EVENTS[kind].items() if key in given}
    if "context" in given:
        content["context"] = given["context"]
    if "email" in given and "traits" in EVENTS[kind] and kind == "identify":
        content["traits"] = {"email": given["email"], **content.get("traits", {})}
    return content
