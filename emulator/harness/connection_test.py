"""The connection test of the published destination, and its list of advertisers, at any endpoint.

Segment runs both when a destination is set up: the test with the token of the settings, the list for the field
`advertiser_id` of the mapping, which only the generations of 2024 have. Both send one query that reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from emulator.errors import NotFound, unknown
from emulator.mapping import (
    Definition,
    DestinationInstance,
    EngineError,
    OutgoingRequest,
    Response,
    Send,
    generations,
    load_definition,
)

ADVERTISER: Final = "advertiser_id"

# Required in the settings of the newer generations; neither the test nor the list reads it.
_ANY_ADVERTISER = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTest:
    """The outcome of one generation. `message` is the published error, None when it passed; `advice` what to do then.

    `query` is what was sent, None for a token that no header can have; `status` and `answer` are the response, None
    without one. `advertisers` are
    those that the token may write to, `{"value", "label"}`: an id and a name. In the newer generations the setting is
    typed, and the list is the one that an older generation shows.
    """

    generation: str
    message: str | None
    advice: str | None
    query: str | None
    status: int | None
    answer: str | None
    advertisers: tuple[dict[str, Any], ...]

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
            "advice": self.advice,
            "sent": None if self.query is None else {"query": self.query},
            "answer": None if self.status is None else {"status": self.status, "body": self.answer},
            "advertisers": list(self.advertisers),
        }


def connection_test(generation: str, *, token: str, endpoint: str, send: Send) -> ConnectionTest:
    """Runs the test and, if it passes, reads the list of advertisers. Raises UnknownName."""
    instance = _instance(generation, token, endpoint)
    message = None
    requests: list[OutgoingRequest] = []
    responses: list[Response] = []

    def sent(request: OutgoingRequest) -> Response:
        requests.append(request)
        responses.append(send(request))
        return responses[-1]

    try:
        instance.test_authentication(sent)
    except EngineError as error:
        message = _hidden(error.message, token)
    listed = None if message else choices(generation, ADVERTISER, token=token, endpoint=endpoint, send=send)
    response = next(iter(responses), None)
    return ConnectionTest(
        generation=generation,
        message=message,
        advice=_advice(token, response) if message else None,
        query=next((json.loads(request.body)["query"] for request in requests), None),
        status=response.status if response else None,
        answer=_hidden(response.body, token) if response else None,
        advertisers=tuple(listed["choices"]) if listed else (),
    )


def _advice(token: str, response: Response | None) -> str:
    """What to do about a test that failed."""
    if not token:
        return "Enter a GraphQL token of StackAdapt."
    if response is None:
        return "Check the endpoint and the characters of the token: no request was answered."
    if response.status == HTTPStatus.UNAUTHORIZED:
        return "StackAdapt does not know this token, or it has expired: copy a valid one."
    if response.ok:
        return "The token may write to no advertiser: use one with the scope WRITE."
    return "StackAdapt answered with an error: see its answer, and test again."


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
        "error": {**found["error"], "message": _hidden(str(found["error"]["message"]), token)}
        if "error" in found
        else None,
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


def _hidden(text: str, token: str) -> str:
    return text.replace(token, "***") if token else text
