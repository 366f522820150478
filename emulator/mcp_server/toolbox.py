"""Calls a tool: checks its arguments, asks the emulator, hides personal data, and adds the provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from emulator.harness.client import Endpoint
from emulator.ids import secret
from emulator.mcp_server.origins import origin_of
from emulator.mcp_server.personal_data import PersonalData
from emulator.mcp_server.tool_calls import CALLS, FINISHED
from emulator.mcp_server.tool_contract import SHOW_PERSONAL_DATA, tool_named

# Opens the emulator for one call. Raises UserMistake when it does not respond.
Opened = Callable[[], AbstractContextManager[Endpoint]]


class Toolbox:
    """The tools of one session, about the sandbox `sandbox` of the emulator that `opened` opens."""

    def __init__(self, opened: Opened, *, sandbox: str) -> None:
        self._opened = opened
        self._sandbox = sandbox
        self._personal_data = PersonalData(secret(""))

    def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`{"answer", "provenance"}`. Raises UnknownName, InputError, and what the emulator refuses."""
        tool = tool_named(name)
        given = self._personal_data.meant(tool.checked(arguments))
        shown = given.pop(SHOW_PERSONAL_DATA)
        with self._opened() as endpoint:
            answer = CALLS[name](endpoint, given)
            origin = origin_of(answer, endpoint, self._sandbox, tool.behaviours)
            if not shown:
                answer = self._personal_data.hidden(answer, [given, *_people(endpoint, given)])
        if name in FINISHED:
            answer = FINISHED[name](answer, given)
        return {"answer": answer, "provenance": origin}


def _people(endpoint: Endpoint, given: Mapping[str, Any]) -> Iterator[Any]:
    """What Segment knows about the people whom a call is about."""
    control = endpoint.control
    if given.get("known"):
        yield from control.pages("space/profiles", "profiles")
    emails = {given[name] for name in ("email", "person") if name in given}
    users = {given[name] for name in ("user_id", "person") if name in given}
    for name in ("message_id", "person"):
        if name in given:
            for path in ("calls", "deliveries"):
                found = control.pages(path, path, messageId=given[name])
                users |= {each["userId"] for each in found if each["userId"]}
    for asked, values in (("email", emails), ("userId", users)):
        for value in sorted(values):
            yield from control.pages("space/profiles", "profiles", **{asked: value})
