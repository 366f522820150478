"""The connection test of the published destination, and its list of advertisers, at any endpoint.

Segment runs both when a destination is set up: the test with the token of the settings, the list for the field
`advertiser_id` of the mapping, which only the generations of 2024 have. Both send one query that reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from emulator.mapping import DestinationInstance, EngineError, Send, load_definition

# Required in the settings of the newer generations; neither the test nor the list reads it.
_ANY_ADVERTISER = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTest:
    """The outcome of one generation. `message` is the published error, None when it passed.

    `advertisers` are `{"value", "label"}`: an id and a name; None for a generation without the list.
    """

    generation: str
    message: str | None
    advertisers: tuple[dict[str, Any], ...] | None

    @property
    def passed(self) -> bool:
        """Whether the connection test passed."""
        return self.message is None


def connection_test(generation: str, *, token: str, endpoint: str, send: Send) -> ConnectionTest:
    """Runs the test and, if it passes, reads the list, where there is one. Raises UnknownName."""
    definition = replace(load_definition(generation), endpoint=endpoint)
    instance = DestinationInstance(definition, {"apiKey": token, "advertiser_id": _ANY_ADVERTISER})
    message, advertisers = None, None
    try:
        instance.test_authentication(send)
    except EngineError as error:
        message = error.message.replace(token, "***") if token else error.message
    dynamic = [
        (action.slug, field.key) for action in definition.actions.values() for field in action.fields if field.dynamic
    ]
    for action, name in dynamic[:1]:
        found: Any = {"choices": ()} if message else instance.dynamic_field(action, name, send)
        advertisers = tuple(found["choices"])
    return ConnectionTest(generation=generation, message=message, advertisers=advertisers)
