"""The connection test of the published destination, and its list of advertisers, at any endpoint.

Segment runs both when a destination is set up: the test with the token of the settings, the list for the field
`advertiser_id` of the mapping, which only the generations of 2024 have. Both send one query that reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from emulator.errors import NotFound, unknown
from emulator.mapping import Definition, DestinationInstance, EngineError, Send, generations, load_definition

ADVERTISER: Final = "advertiser_id"

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

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "generation": self.generation,
            "passed": self.passed,
            "message": self.message,
            "advertisers": None if self.advertisers is None else list(self.advertisers),
        }


def connection_test(generation: str, *, token: str, endpoint: str, send: Send) -> ConnectionTest:
    """Runs the test and, if it passes, reads the list, where there is one. Raises UnknownName."""
    instance = _instance(generation, token, endpoint)
    message, advertisers = None, None
    try:
        instance.test_authentication(send)
    except EngineError as error:
        message = error.message.replace(token, "***") if token else error.message
    for action in _with_list(instance.definition, ADVERTISER):
        found: Any = {"choices": ()} if message else instance.dynamic_field(action, ADVERTISER, send)
        advertisers = tuple(found["choices"])
    return ConnectionTest(generation=generation, message=message, advertisers=advertisers)


def choices(generation: str, field: str, *, token: str, endpoint: str, send: Send, search: str = "") -> dict[str, Any]:
    """The choices of a field whose id or name contains `search`.

    `{"generation", "field", "dynamic", "choices", "error"}`: `dynamic` is whether Segment shows a list, which it does
    for the field of an action; a setting is typed, and the list is the one that an older generation shows. Raises
    UnknownName for an unknown generation, NotFound for another field.
    """
    definition = load_definition(generation)
    if field != ADVERTISER:
        raise unknown("field with choices", field, [ADVERTISER], where="field", error=NotFound)
    actions = list(_with_list(definition, field))
    lists = [known for known in reversed(generations()) if any(_with_list(load_definition(known), field))]
    instance = _instance(generation if actions else lists[0], token, endpoint)
    found: Any = instance.dynamic_field(next(_with_list(instance.definition, field)), field, send)
    wanted = search.strip().casefold()
    return {
        "generation": generation,
        "field": field,
        "dynamic": bool(actions),
        "choices": [
            {"value": str(choice.get("value")), "label": str(choice.get("label"))}
            for choice in found["choices"]
            if any(wanted in str(choice.get(key)).casefold() for key in ("value", "label"))
        ],
        "error": _without(found["error"], token) if "error" in found else None,
    }


def _instance(generation: str, token: str, endpoint: str) -> DestinationInstance:
    definition = replace(load_definition(generation), endpoint=endpoint)
    return DestinationInstance(definition, {"apiKey": token, "advertiser_id": _ANY_ADVERTISER})


def _with_list(definition: Definition, field: str) -> Iterator[str]:
    """The first action whose field has a dynamic list; none in the generations in which the field is a setting."""
    dynamic = (
        action.slug
        for action in definition.actions.values()
        if any(known.key == field and known.dynamic for known in action.fields)
    )
    return islice(dynamic, 1)


def _without(error: Mapping[str, Any], token: str) -> dict[str, Any]:
    message = str(error["message"])
    return {**error, "message": message.replace(token, "***") if token else message}
