"""Fixtures of the destination's tests: a provider that answers as told, and events that fit the default mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, parse

from emulator.mapping import DestinationInstance, OutgoingRequest, Response, load_definition
from emulator.mapping.actions.columns import STANDARD_NAMES

JSON = {"content-type": "application/json"}
TRACK = 'type = "track"'


@dataclass
class Provider:
    """Answers requests with scripted replies, the last one for ever, and keeps what it was asked."""

    replies: list[Response]
    requests: list[OutgoingRequest] = field(default_factory=list)

    def send(self, request: OutgoingRequest) -> Response:
        self.requests.append(request)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    @property
    def document(self) -> str:
        """The GraphQL text of the last request."""
        text = json.loads(self.requests[-1].body)["query"]
        assert isinstance(text, str)
        return text


@pytest.fixture
def reply() -> Callable[..., Response]:
    """A reply of JSON, or of what else the headers say."""

    def build(status: int = 200, body: object = None, *, reason: str = "OK", **headers: str) -> Response:
        text = body if isinstance(body, str) else json.dumps({} if body is None else body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status=status, reason=reason, headers={**JSON, **named}, body=text)

    return build


@pytest.fixture
def provider(reply: Callable[..., Response]) -> Provider:
    return Provider([reply()])


@pytest.fixture
def answering() -> Callable[..., Provider]:
    """A provider that gives these replies, one after another."""
    return lambda *replies: Provider(list(replies))


@pytest.fixture
def payload() -> dict[str, Any]:
    """A valid payload of the current generations, by field."""
    return {
        "user_id": "u1",
        "event_type": "track",
        "marketing_status": "Opted-in",
        "enable_batching": True,
        "traits_or_props": {"vip": True},
        "segment_computation_class": "audience",
        "segment_computation_id": "aud_1",
        "segment_computation_key": "vip",
        "email": "a@b.com",
    }


@pytest.fixture
def instance() -> Callable[..., DestinationInstance]:
    """An instance whose one subscription takes each field from the event's member of the same name."""

    def build(
        generation: str = "3.517.0", action: str = "forwardAudienceEvent", **settings: object
    ) -> DestinationInstance:
        fields = load_definition(generation).actions[action].fields
        mapping = {known.key: {"@path": f"$.m.{known.key}"} for known in fields}
        subscription = {"partnerAction": action, "subscribe": TRACK, "mapping": mapping}
        return DestinationInstance(generation, {"apiKey": "k", "advertiser_id": "23", **settings}, [subscription])

    return build


@pytest.fixture
def event(payload: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """An event that carries a valid payload, with these members in the place of its own; `...` leaves one out."""

    def build(**members: object) -> dict[str, Any]:
        merged = {**payload, **members}
        return {"type": "track", "m": {key: value for key, value in merged.items() if value is not ...}}

    return build


@pytest.fixture
def profiles(provider: Provider) -> Callable[[], list[dict[str, Any]]]:
    """The profiles in the provider's last request, read as the provider would read them."""

    def read() -> list[dict[str, Any]]:
        (line,) = (line for line in provider.document.splitlines() if line.lstrip().startswith("profiles: "))
        found = json.loads(json.loads(line.strip().removeprefix("profiles: ")))
        assert isinstance(found, list)
        return found

    return read


@pytest.fixture
def root_fields(provider: Provider) -> Callable[[], list[str]]:
    """The root fields of the provider's last document, as a GraphQL parser sees them."""

    def read() -> list[str]:
        found: list[str] = []
        for definition in parse(provider.document).definitions:
            assert isinstance(definition, OperationDefinitionNode)
            found += [field.name.value for field in definition.selection_set.selections if isinstance(field, FieldNode)]
        return found

    return read


@pytest.fixture
def columns(provider: Provider) -> Callable[[], dict[str, str]]:
    """Name and type of the custom columns that the provider's last request declares, with the type as it stands."""

    def read() -> dict[str, str]:
        pattern = r'{incomingKey:"([^"]*)",destinationKey:"[^"]*",label:"[^"]*",(?:type:([^,]*),)?isPii:false}'
        found: dict[str, str] = dict(re.findall(pattern, provider.document))
        return {name: found[name] for name in found if name not in STANDARD_NAMES}

    return read
