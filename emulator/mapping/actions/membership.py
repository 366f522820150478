"""Whether an event lets a person into an audience or takes them out."""

from __future__ import annotations

from emulator.mapping.actions.document import Payload
from emulator.mapping.javascript.prototypes import member
from emulator.mapping.javascript.values import truthy


def membership(payload: Payload) -> str:
    """`enter` when the member of the event named like the audience is truthy, else `exit`.

    A missing member is `exit`, the text `"false"` is `enter`, a dotted key is no path.
    """
    return "enter" if truthy(member(payload["traits_or_props"], payload["segment_computation_key"])) else "exit"
