"""The cases on which a generation of the destination is compared: every action, kind of event and mode of call.

They are derived from the generation's definition and the default workspace, in the form of recorded cases, so that the
mapping engine and the published package can run the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.errors import EmulatorDefect
from emulator.harness.recorded_cases import Case
from emulator.harness.subscription_context import SubscriptionContext, sample_messages, subscription_contexts
from emulator.mapping import ActionDefinition, Definition, Field
from emulator.workspace import Subscription, Workspace, load_workspace

DELETION = "user deletion"
CONNECTION_TEST = "connection test"
CHOICES = "advertiser choices"

_USER_ERRORS: dict[str, Any] = {"userErrors": []}
_UPSERTED = {
    "data": dict.fromkeys(("upsertProfileMapping", "upsertProfiles", "upsertExternalAudienceMapping"), _USER_ERRORS)
}
_DELETED = {"data": {"deleteProfilesWithExternalIds": _USER_ERRORS}}
_TYPED_TRAITS = {"plan": "gold", "visits": 3, "score": 1.5, "member": True, "since": "2020-02-29"}


def cases(definition: Definition) -> Iterator[Case]:
    """The cases of one generation. `purpose` describes a case in reports."""
    workspace = load_workspace()
    for action in definition.actions.values():
        for name, extra in _variants(action):
            yield from _action_cases(_context(workspace, definition, action, extra), name)
        for field in action.fields:
            if field.dynamic:
                target = {"action": action.slug, "field": field.key}
                yield _case(workspace, definition, "dynamic", CHOICES, _token_info(workspace), **target)
    yield _case(workspace, definition, "delete", DELETION, _DELETED, events=[{"type": "delete", "userId": "u1"}])
    for scope in ("WRITE", "READ"):
        yield _case(workspace, definition, "auth", CONNECTION_TEST, _token_info(workspace, scope), scope)


def _variants(action: ActionDefinition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The default mapping, each choice of a field without a default, and custom properties of every type."""
    yield "defaults", {}
    fields = {field.key: field for field in action.fields}
    for field in action.fields:
        if field.default is None:
            yield from ((f"{field.key} {choice}", {field.key: choice}) for choice in field.choices[1:])
    if "custom_traits" in fields:
        # Generations with both kinds of custom properties select one by the mode.
        mode = {"custom_properties_mode": "v1"} if "custom_properties_mode" in fields else {}
        yield "custom_traits", {**mode, "custom_traits": _TYPED_TRAITS}
    if "custom_user_properties" in fields:
        types = next(member.choices for member in fields["custom_user_properties"].properties if member.key == "type")
        declared = [{"name": f"my_{kind.lower()}", "type": kind, "value": "1"} for kind in types]
        yield "custom_user_properties", {"custom_user_properties": declared}


def _context(
    workspace: Workspace, definition: Definition, action: ActionDefinition, extra: Mapping[str, Any]
) -> SubscriptionContext:
    """The default workspace's instance in this generation, with one subscription to the action."""
    [instance] = workspace.destinations
    given = instance.subscriptions[0].mapping
    mapping = {
        field.key: given[field.key] if field.key in given else _value(field, instance.settings)
        for field in action.fields
        if field.key in given or (field.required and field.default is None)
    }
    subscription = Subscription(
        name=action.title, action=action.slug, trigger=action.default_subscription, mapping={**mapping, **extra}
    )
    changed = replace(instance, generation=definition.generation, subscriptions=(subscription,))
    [context] = subscription_contexts(replace(workspace, destinations=(changed,)))
    return context


def _value(field: Field, settings: Mapping[str, str]) -> Any:
    if field.choices:
        return field.choices[0]
    if field.key in settings:
        return settings[field.key]
    raise EmulatorDefect("a required field of a definition has neither default nor choices", where=field.key)


def _action_cases(context: SubscriptionContext, variant: str) -> Iterator[Case]:
    messages = [
        *((f"{kind} entered", event) for kind, event in sample_messages(context)),
        *((f"{kind} exited", event) for kind, event in sample_messages(context, entered=False)),
    ]
    assert context.action is not None  # noqa: S101 - _context chose this action
    stored = {
        "partnerAction": context.action.slug,
        "name": context.subscription.name,
        "enabled": True,
        "subscribe": context.subscription.trigger,
        "mapping": context.mapping,
    }

    first, purpose = messages[0][1], context.subscription.name
    for mode, name, events in (
        *(("event", name, [event]) for name, event in (*messages, *_edge_cases(first))),
        ("batch", "all", [event for _, event in messages]),
        ("batch", "one without email", [first, _without_email(first)]),
    ):
        parts = {"subscriptions": [stored], "events": events}
        yield _case(context.workspace, context.definition, mode, purpose, _UPSERTED, f"{variant}, {name}", **parts)


def _edge_cases(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Events that the destination rejects, corrupts or ignores."""
    yield "without email", _without_email(event)
    yield "quote", {**event, "traits": {**event["traits"], "first_name": 'Ada "A"'}}
    yield "alias", {**event, "type": "alias", "previousId": "u0"}
    yield "page", {**event, "type": "page"}


def _without_email(event: Mapping[str, Any]) -> dict[str, Any]:
    traits = {name: value for name, value in event["traits"].items() if name != "email"}
    return {**event, "traits": traits, "context": {**event["context"], "traits": {}}}


def _case(
    workspace: Workspace,
    definition: Definition,
    mode: str,
    purpose: str,
    response: object,
    name: str = "",
    **parts: Any,
) -> Case:
    known = {setting.key for setting in definition.settings}
    return {
        "id": " / ".join(filter(None, (purpose, name, parts.get("action"), parts.get("field"), mode))),
        "purpose": purpose,
        "generation": definition.generation,
        "mode": mode,
        "settings": {key: value for key, value in workspace.destinations[0].settings.items() if key in known},
        "subscriptions": [],
        "events": [],
        "responses": [{"status": 200, "body": response}],
        **parts,
    }


def _token_info(workspace: Workspace, scope: str = "WRITE") -> dict[str, Any]:
    nodes = [
        {"advertiser": {"id": advertiser.id, "name": advertiser.name}, "scopes": [scope]}
        for advertiser in workspace.advertisers
    ]
    return {"data": {"tokenInfo": {"scopesByAdvertiser": {"nodes": nodes}}}}
