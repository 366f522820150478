"""What a generation of the destination is asked to do when it is compared: every action, kind of event, mode of call.

Everything is drawn from the generation's definition and the default workspace, in the form of recorded cases, so that
the mapping engine and the published package can be given the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emulator.errors import EmulatorDefect
from emulator.harness.recorded_cases import Case
from emulator.harness.samples import sample_messages
from emulator.harness.subscription_context import SubscriptionContext, subscription_contexts
from emulator.mapping import ActionDefinition, Definition, Field
from emulator.workspace import Subscription, Workspace, load_workspace

DELETION = "deletion of a person"
CONNECTION_TEST = "connection test"
CHOICES = "choice of an advertiser"

_USER_ERRORS: dict[str, Any] = {"userErrors": []}
_UPSERTED = {
    "data": dict.fromkeys(("upsertProfileMapping", "upsertProfiles", "upsertExternalAudienceMapping"), _USER_ERRORS)
}
_DELETED = {"data": {"deleteProfilesWithExternalIds": _USER_ERRORS}}
_TYPED_TRAITS = {"plan": "gold", "visits": 3, "score": 1.5, "member": True, "since": "2020-02-29"}


def cases(definition: Definition) -> Iterator[Case]:
    """The cases of one generation. `purpose` says what a case is for, in words for people."""
    workspace = load_workspace()
    for action in definition.actions.values():
        for name, extra in _variants(action):
            yield from _action_cases(_subject(workspace, definition, action, extra), name)
        yield from (_choices_case(workspace, definition, action, field) for field in action.fields if field.dynamic)
    yield _case(workspace, definition, "delete", DELETION, events=[{"type": "delete", "userId": "u1"}], answer=_DELETED)
    for scope in ("WRITE", "READ"):
        yield _case(workspace, definition, "auth", CONNECTION_TEST, name=scope, answer=_token_info(workspace, scope))


def _variants(action: ActionDefinition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The plain mapping, each choice of a field that has no default, and custom properties of every type."""
    yield "defaults", {}
    fields = {field.key: field for field in action.fields}
    for field in action.fields:
        if field.default is None:
            yield from ((f"{field.key} {choice}", {field.key: choice}) for choice in field.choices[1:])
    if "custom_traits" in fields:
        # Where both ways of custom properties exist, the mode chooses; elsewhere there is only this one.
        mode = {"custom_properties_mode": "v1"} if "custom_properties_mode" in fields else {}
        yield "custom_traits", {**mode, "custom_traits": _TYPED_TRAITS}
    if "custom_user_properties" in fields:
        types = next(member.choices for member in fields["custom_user_properties"].properties if member.key == "type")
        declared = [{"name": f"my_{kind.lower()}", "type": kind, "value": "1"} for kind in types]
        yield "custom_user_properties", {"custom_user_properties": declared}


def _subject(
    workspace: Workspace, definition: Definition, action: ActionDefinition, extra: Mapping[str, Any]
) -> SubscriptionContext:
    """The default workspace's instance as one of this generation, with one subscription to the action."""
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
    [subject] = subscription_contexts(replace(workspace, destinations=(changed,)))
    return subject


def _value(field: Field, settings: Mapping[str, str]) -> Any:
    if field.choices:
        return field.choices[0]
    if field.key in settings:
        return settings[field.key]
    raise EmulatorDefect("a required field of a definition has neither default nor choices", where=field.key)


def _action_cases(subject: SubscriptionContext, variant: str) -> Iterator[Case]:
    messages = [
        *((f"{kind} entered", event) for kind, event in sample_messages(subject)),
        *((f"{kind} exited", event) for kind, event in sample_messages(subject, entered=False)),
    ]
    assert subject.action is not None  # noqa: S101 - the subject was made for this action
    stored = {
        "partnerAction": subject.action.slug,
        "name": subject.subscription.name,
        "enabled": True,
        "subscribe": subject.subscription.trigger,
        "mapping": subject.mapping,
    }

    def case(mode: str, name: str, events: Sequence[Mapping[str, Any]]) -> Case:
        return _case(
            subject.workspace,
            subject.definition,
            mode,
            subject.subscription.name,
            name=f"{variant}, {name}",
            subscriptions=[stored],
            events=events,
            answer=_UPSERTED,
        )

    first = messages[0][1]
    for name, event in (*messages, *_odd(first)):
        yield case("event", name, [event])
    yield case("batch", "all", [event for _, event in messages])
    yield case("batch", "one without email", [first, _without_email(first)])


def _odd(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the destination refuses, spoils or passes over."""
    yield "without email", _without_email(event)
    yield "quote", {**event, "traits": {**event["traits"], "first_name": 'Ada "A"'}}
    yield "alias", {**event, "type": "alias", "previousId": "u0"}
    yield "page", {**event, "type": "page"}


def _without_email(event: Mapping[str, Any]) -> dict[str, Any]:
    traits = {name: value for name, value in event["traits"].items() if name != "email"}
    return {**event, "traits": traits, "context": {**event["context"], "traits": {}}}


def _choices_case(workspace: Workspace, definition: Definition, action: ActionDefinition, field: Field) -> Case:
    answer = _token_info(workspace, "WRITE")
    return _case(workspace, definition, "dynamic", CHOICES, action=action.slug, field=field.key, answer=answer)


def _case(
    workspace: Workspace,
    definition: Definition,
    mode: str,
    purpose: str,
    *,
    answer: object,
    name: str = "",
    subscriptions: Sequence[Mapping[str, Any]] = (),
    events: Sequence[Mapping[str, Any]] = (),
    **asked: str,
) -> Case:
    known = {setting.key for setting in definition.settings}
    settings = {key: value for key, value in workspace.destinations[0].settings.items() if key in known}
    return {
        "id": " / ".join(part for part in (purpose, name, *asked.values(), mode) if part),
        "purpose": purpose,
        "generation": definition.generation,
        "mode": mode,
        "settings": settings,
        "subscriptions": list(subscriptions),
        "events": list(events),
        "responses": [{"status": 200, "body": answer}],
        **asked,
    }


def _token_info(workspace: Workspace, scope: str) -> dict[str, Any]:
    nodes = [
        {"advertiser": {"id": advertiser.id, "name": advertiser.name}, "scopes": [scope]}
        for advertiser in workspace.advertisers
    ]
    return {"data": {"tokenInfo": {"scopesByAdvertiser": {"nodes": nodes}}}}
