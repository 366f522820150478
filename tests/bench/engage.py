"""People a second of CPU time through Segment alone, who all enter every audience of the space, in batches of 100.

The destination's endpoint answers at once, so that StackAdapt takes no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import process_time
from typing import Any

from emulator.generator.people import identify, people
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.transport import Response
from emulator.workspace import Workspace, load_workspace

AUDIENCES = (1, 10, 50)
PEOPLE = 500
BATCH = 100
ENTERING = {"total_spent": 900}
RESPONSE = Response(status=200, reason="OK", text="{}", headers={"content-type": "application/json"})


def lines() -> Iterator[str]:
    """The figures as lines, as they come."""
    for audiences in AUDIENCES:
        rate = PEOPLE / _seconds(audiences)
        yield f"identify calls, {audiences} audiences entered by each: {rate:,.0f} people a CPU second"


class _Answering:
    def post(self, _headers: Mapping[str, str], _body: str) -> Response:
        return RESPONSE


def _seconds(audiences: int) -> float:
    segment = Segment(Sandbox(_workspace(audiences)), lambda _destination: _Answering())
    calls = [_call(person) for person in people(1, PEOPLE)]
    started = process_time()
    for start in range(0, PEOPLE, BATCH):
        segment.ingest("batch", {"batch": calls[start : start + BATCH]})
    return process_time() - started


def _call(person: Any) -> dict[str, Any]:
    call = identify(person)
    return {**call, "traits": {**call["traits"], **ENTERING}}


def _workspace(audiences: int) -> Workspace:
    """The built-in workspace with copies of its audience, each connected to its destination instance."""
    workspace = load_workspace()
    (audience,), (destination,) = workspace.audiences, workspace.destinations
    (connection,) = destination.connections
    keys = [f"audience_{number}" for number in range(audiences)]
    connections = tuple(replace(connection, audience_key=key, send_track=False) for key in keys)
    return replace(
        workspace,
        audiences=tuple(replace(audience, key=key, id=key) for key in keys),
        destinations=(replace(destination, connections=connections),),
    )
