"""The catalog: the published destination in each generation, and the API versions whose schema takes its documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from graphql import parse, validate

from emulator.mapping import (
    ActionDefinition,
    Definition,
    DestinationInstance,
    EngineError,
    Prepared,
    generations,
    load_definition,
    newest,
)
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema

_ADVERTISER: Final = "1001"
_EVENT: Final = {
    "type": "identify",
    "userId": "u1",
    "traits": {"email": "ada@example.com", "vip_customers": True},
    "context": {
        "personas": {
            "computation_class": "audience",
            "computation_id": "aud_1",
            "computation_key": "vip_customers",
        }
    },
}

# A call of a source, which has no computation of Engage.
_CALL: Final = {**_EVENT, "context": {}}


def catalog() -> list[dict[str, Any]]:
    """What can be added in each generation, newest first, as JSON values.

    `apiVersions` are those that take its documents; `advertiserFrom` is `settings` or `mapping`; `sourceCalls` says
    whether it forwards the calls of a source, which are not from Engage; each of the `actions` has the
    `trigger` and the `mapping` that it has in the beginning.
    """
    return [_entry(load_definition(generation)) for generation in reversed(generations())]


def fitting_api_versions(generation: str) -> list[str]:
    """The API versions that take what a generation sends, newest first. Raises UnknownName."""
    return [version for version in API_VERSIONS if fits(generation, version)]


def fitting_generations(api_version: str) -> list[str]:
    """The generations whose documents an API version takes, newest first. Raises UnknownName."""
    return [generation for generation in reversed(generations()) if fits(generation, api_version)]


@cache
def fits(generation: str, api_version: str) -> bool:
    """Whether the schema of an API version takes what every action of a generation sends. Raises UnknownName."""
    definition, schema = load_definition(generation), executable_schema(api_version)
    documents = (parse(_document(definition, action)) for action in definition.actions.values())
    return not any(validate(schema, document) for document in documents)


def _entry(definition: Definition) -> dict[str, Any]:
    return {
        "generation": definition.generation,
        "newest": definition.generation == newest(),
        "name": definition.name,
        "slug": definition.slug,
        "source": definition.source,
        "apiVersions": fitting_api_versions(definition.generation),
        "advertiserFrom": definition.advertiser_from,
        "sourceCalls": any(_forwards_calls(definition, action) for action in definition.actions.values()),
        "settings": [
            {"key": each.key, "label": each.label, "type": each.type, "required": each.required}
            for each in definition.settings
        ],
        "actions": [
            {
                "slug": each.slug,
                "title": each.title,
                "trigger": each.default_subscription,
                "mapping": each.default_mapping(),
            }
            for each in definition.actions.values()
        ],
    }


def _forwards_calls(definition: Definition, action: ActionDefinition) -> bool:
    try:
        return _prepared(definition, action, _CALL).request is not None
    except EngineError:
        return False


def _document(definition: Definition, action: ActionDefinition) -> str:
    """What an action sends for an event of an audience."""
    request = _prepared(definition, action, _EVENT).request
    assert request is not None  # noqa: S101 - the event fits
    document: str = json.loads(request.body)["query"]
    return document


def _prepared(definition: Definition, action: ActionDefinition, event: Mapping[str, Any]) -> Prepared:
    """An event with the default mapping of an action, and a value for what else it needs."""
    needed = {
        field.key: field.choices[0] if field.choices else _ADVERTISER
        for field in action.fields
        if field.required and field.default is None
    }
    stored = {
        "partnerAction": action.slug,
        "subscribe": 'type = "identify"',
        "mapping": {**action.default_mapping(), **needed},
    }
    instance = DestinationInstance(definition, {"apiKey": "token", "advertiser_id": _ADVERTISER}, [stored])
    return instance.subscriptions[0].prepare([event], batch=False)
