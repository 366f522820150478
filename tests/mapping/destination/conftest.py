"""Fixtures for tests of the destination: a provider with scripted responses, and events for the default mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, parse

from emulator.mapping import DestinationInstance, OutgoingRequest, Response, load_definition, newest
from emulator.mapping.actions.columns import STANDARD_NAMES

JSON = {"content-type": "application/json"}
TRACK = 'type = "track"'


@dataclass
class Provider:
    """Sends scripted responses, repeating the last one, and keeps the requests."""

    responses: list[Response]
    requests: list[OutgoingRequest] = field(default_factory=list)

    def send(self, request: OutgoingRequest) -> Response:
        self.requests.append(request)
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]

    @property
    def document(self) -> str:
        """The GraphQL document of the last request."""
        text = json.loads(self.requests[-1].body)["query"]
        assert isinstance(text, str)
        return text


@pytest.fixture
def response() -> Callable[..., Response]:
    """A JSON response, or one with other headers."""

    def build(status: int = 200, body: object = None, *, reason: str = "OK", **headers: str) -> Response:
        text = body if isinstance(body, str) else json.dumps({} if body is None else body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status=status, reason=reason, headers={**JSON, **named}, body=text)

    return build


@pytest.fixture
def provider(response: Callable[..., Response]) -> Provider:
    return Provider([response()])


@pytest.fixture
def responding() -> Callable[..., Provider]:
    """A provider with these responses in order."""
    return lambda *responses: Provider(list(responses))


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
    """An instance whose one subscription maps each field to the event's member of the same name."""

    def build(
        generation: str = newest(), action: str = "forwardAudienceEvent", **settings: object
    ) -> DestinationInstance:
        fields = load_definition(generation).actions[action].fields
        mapping = {known.key: {"@path": f"$.m.{known.key}"} for known in fields}
        subscription = {"partnerAction": action, "subscribe": TRACK, "mapping": mapping}
        return DestinationInstance(generation, {"apiKey": "k", "advertiser_id": "23", **settings}, [subscription])

    return build


@pytest.fixture
def event(payload: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """An event with a valid payload, changed by these members; `...` omits one."""

    def build(**members: object) -> dict[str, Any]:
        merged = {**payload, **members}
        return {"type": "track", "m": {key: value for key, value in merged.items() if value is not ...}}

    return build


@pytest.fixture
def profiles(provider: Provider) -> Callable[[], list[dict[str, Any]]]:
    """The profiles in the provider's last request, parsed as by the provider."""

    def read() -> list[dict[str, Any]]:
        (line,) = (line for line in provider.document.splitlines() if line.lstrip().startswith("profiles: "))
        found = json.loads(json.loads(line.strip().removeprefix("profiles: ")))
        assert isinstance(found, list)
        return found

    return read


@pytest.fixture
def root_fields(provider: Provider) -> Callable[[], list[str]]:
    """The root fields of the provider's last document, parsed as GraphQL."""

    def read() -> list[str]:
        found: list[str] = []
        for definition in parse(provider.document).definitions:
            assert isinstance(definition, OperationDefinitionNode)
            found += [field.name.value for field in definition.selection_set.selections if isinstance(field, FieldNode)]
        return found

    return read


@pytest.fixture
def columns(provider: Provider) -> Callable[[], dict[str, str]]:
    """Name and type of the custom columns in the provider's last request."""

    def read() -> dict[str, str]:
        pattern = r'{incomingKey:"([^"]*)",destinationKey:"[^"]*",label:"[^"]*",(?:type:([^,]*),)?isPii:false}'
        found: dict[str, str] = dict(re.findall(pattern, provider.document))
        return {name: found[name] for name in found if name not in STANDARD_NAMES}

    return read
