"""Changes of the workspace: switches, connections, filters, triggers, mappings, tokens and advertisers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from emulator.harness.why.answer import Change
from emulator.harness.why.rerun import Case
from emulator.harness.why.unread_traits import MODE_FIELD
from emulator.mapping import ActionDefinition, load_definition, newest
from emulator.schemas import place
from emulator.workspace_document import set_at

Proposed = tuple[Change, Case]
Path = tuple[str | int, ...]

_FORWARD_PROFILE = "forwardProfile"
_DECLARED = "custom_user_properties"
_PROPERTY_FIELDS = (_DECLARED, "custom_traits", "traits")


def changed(case: Case, path: Path, value: Any, text: str) -> Proposed:
    """The workspace with one value replaced."""
    document = deepcopy(case.workspace)
    set_at(document, path, value)
    return Change(kind="workspace", where=place(path), value=value, text=text), case.changed(workspace=document)


def switched_on(case: Case) -> Iterator[Proposed]:
    """Each switch that is off, on."""
    for kind in ("sources", "destinations"):
        for index, each in enumerate(case.workspace[kind]):
            if each.get("enabled") is False:
                yield changed(case, (kind, index, "enabled"), True, f"enable {kind[:-1]} {each['name']!r}")
            if each.get("source") is not None:
                document = deepcopy(case.workspace)
                del document[kind][index]["source"]
                text = f"let {each['name']!r} get the calls of every source"
                change = Change(kind="workspace", where=f"{kind}[{index}].source", value=None, text=text)
                yield change, case.changed(workspace=document)
    for index, position, subscription in _subscriptions(case):
        if subscription.get("enabled") is False:
            path = ("destinations", index, "subscriptions", position, "enabled")
            yield changed(case, path, True, f"enable subscription {subscription['name']!r}")
    for index, destination in enumerate(case.workspace["destinations"]):
        for position, connection in enumerate(destination["audiences"]):
            for switch, label in (("sendIdentify", "Send Identify"), ("sendTrack", "Send Track")):
                if connection.get(switch) is False:
                    path = ("destinations", index, "audiences", position, switch)
                    yield changed(case, path, True, f"switch on {label} of audience {connection['key']}")


def without_filters(case: Case) -> Iterator[Proposed]:
    """Each destination without one of its filters, and without its categories of consent."""
    for index, destination in enumerate(case.workspace["destinations"]):
        for position, each in enumerate(destination.get("filters", ())):
            if each.get("enabled", True):
                path = ("destinations", index, "filters", position, "enabled")
                yield changed(case, path, False, f"disable the filter {each['title']!r}")
        if "consent" in destination:
            document = deepcopy(case.workspace)
            del document["destinations"][index]["consent"]
            text = f"map {destination['name']!r} to no category of consent"
            change = Change(kind="workspace", where=f"destinations[{index}].consent", value=None, text=text)
            yield change, case.changed(workspace=document)


def let_through(case: Case) -> Iterator[Proposed]:
    """Each control of a source's schema configuration that keeps something back, off."""
    for index, source in enumerate(case.workspace["sources"]):
        for call, controls in source.get("schema", {}).items():
            for name, value in controls.items() if isinstance(controls, dict) else ():
                allowed = True if value is False else [] if isinstance(value, list) else "ALLOW"
                text = f"set {name} of source {source['name']!r} to {json.dumps(allowed)}"
                yield changed(case, ("sources", index, "schema", call, name), allowed, text)


def unblocked(case: Case) -> Iterator[Proposed]:
    """Each identifier of the space without its blocked values."""
    for index, identifier in enumerate(case.workspace["space"].get("identifiers", ())):
        if identifier.get("blockedValues"):
            text = f"block no value of {identifier['type']}"
            yield changed(case, ("space", "identifiers", index, "blockedValues"), [], text)


def connected(case: Case) -> Iterator[Proposed]:
    """Each audience connected to each destination, and a destination or a subscription where there is none."""
    keys = [audience["key"] for audience in case.workspace["audiences"]]
    for index, destination in enumerate(case.workspace["destinations"]):
        missing = [key for key in keys if key not in [each["key"] for each in destination["audiences"]]]
        for key in missing:
            connections = [*destination["audiences"], {"key": key}]
            text = f"connect audience {key} to {destination['name']!r}"
            yield changed(case, ("destinations", index, "audiences"), connections, text)
        if not destination["subscriptions"]:
            subscriptions = [_subscription(destination.get("generation"))]
            text = f"add the published subscription to {destination['name']!r}"
            yield changed(case, ("destinations", index, "subscriptions"), subscriptions, text)
    if not case.workspace["destinations"] and keys:
        token, advertiser = _writing(case)
        destination = {
            "name": "StackAdapt",
            "settings": {"apiKey": token, "advertiser_id": advertiser},
            "audiences": [{"key": key} for key in keys],
            "subscriptions": [_subscription(None)],
        }
        yield changed(case, ("destinations",), [destination], "add a destination, and connect the audience to it")


def _subscription(generation: str | None) -> dict[str, Any]:
    """A subscription of the action for audiences with its published trigger."""
    definition = load_definition(generation or newest())
    action = definition.actions["forwardAudienceEvent"]
    email = _first_of("$.traits.email", "$.properties.email", "$.context.traits.email")
    return {
        "name": "Sync Audience",
        "action": "forwardAudienceEvent",
        "trigger": action.default_subscription,
        "mapping": {"marketing_status": "Opted-in", "email": email},
    }


def _writing(case: Case) -> tuple[str, str]:
    """A token that may write, and an advertiser for it."""
    for token in case.workspace["tokens"]:
        for advertiser, scopes in token["scopes"].items():
            if "WRITE" in scopes:
                return token["token"], advertiser
    return "", ""


def with_trigger(case: Case, destination: str, subscription: str, trigger: str) -> Proposed | None:
    """A subscription with another trigger."""
    for index, position, each in _subscriptions(case):
        if (case.workspace["destinations"][index]["name"], each["name"]) == (destination, subscription):
            path = ("destinations", index, "subscriptions", position, "trigger")
            return changed(case, path, trigger, f"change the trigger of {subscription!r} to: {trigger}")
    return None


def mapped(case: Case) -> Iterator[Proposed]:
    """Each field of a mapping that replaces a published default, with that default; then an email from every place."""
    for index, position, subscription in _subscriptions(case):
        base: Path = ("destinations", index, "subscriptions", position, "mapping")
        action = _action(case.workspace["destinations"][index], subscription["action"])
        defaults = action.default_mapping() if action else {}
        for name in subscription["mapping"]:
            if name in defaults and subscription["mapping"][name] != defaults[name]:
                text = f"map {name} as the published default of {subscription['name']!r} does"
                yield changed(case, (*base, name), defaults[name], text)
        everywhere = _first_of("$.traits.email", "$.properties.email", "$.context.traits.email")
        if (
            action
            and "email" in [each.key for each in action.fields]
            and subscription["mapping"].get("email") != everywhere
        ):
            text = f"map email of {subscription['name']!r} from traits, properties and context.traits"
            yield changed(case, (*base, "email"), everywhere, text)


def _first_of(*paths: str) -> Any:
    first, *others = paths
    if not others:
        return {"@path": first}
    return {"@if": {"exists": {"@path": first}, "then": {"@path": first}, "else": _first_of(*others)}}


def with_emails_sent(case: Case) -> Iterator[Proposed]:
    """Each connection that sends no email, with the email."""
    for index, destination in enumerate(case.workspace["destinations"]):
        for position, connection in enumerate(destination["audiences"]):
            if connection.get("email") is False:
                path = ("destinations", index, "audiences", position, "email")
                yield changed(case, path, True, f"send the email with audience {connection['key']}")


def with_trait_sent(case: Case, trait: str) -> Iterator[Proposed]:
    """Each connection that does not send a trait, with it."""
    for index, destination in enumerate(case.workspace["destinations"]):
        for position, connection in enumerate(destination["audiences"]):
            traits = connection.get("traits", [])
            if trait not in traits:
                more = {**traits, trait: trait} if isinstance(traits, dict) else [*traits, trait]
                path = ("destinations", index, "audiences", position, "traits")
                yield changed(case, path, more, f"send the trait {trait} with audience {connection['key']}")


def with_property_mapped(case: Case, key: str, trait: str) -> Iterator[Proposed]:
    """Each subscription with a property that reads a trait."""
    value = _first_of(f"$.traits.{trait}", f"$.properties.{trait}")
    declared = {"name": key, "type": "STRING", "value": value}
    for index, position, subscription in _subscriptions(case):
        action = _action(case.workspace["destinations"][index], subscription["action"])
        if action is None:
            continue
        mapping = {**action.default_mapping(), **subscription["mapping"]}
        for field in (each.key for each in action.fields if each.key in _PROPERTY_FIELDS):
            present = mapping.get(field)
            if isinstance(present, dict) and any(name.startswith("@") for name in present):
                continue
            item: Any = [declared] if field == _DECLARED else {key: value}
            more = _without(present, key) + item if field == _DECLARED else {**(present or {}), **item}
            path = ("destinations", index, "subscriptions", position, "mapping", field)
            shown = json.dumps(item, ensure_ascii=False)
            yield changed(case, path, more, f"add {key} to {field} of {subscription['name']!r}: {shown}")


def _without(present: Any, name: str) -> list[Any]:
    return [each for each in present or () if each.get("name") != name]


def with_profiles_forwarded(case: Case, key: str, trait: str) -> Iterator[Proposed]:
    """Each destination of 2024 that forwards no profiles, with a subscription that does, the property included."""
    for index, destination in enumerate(case.workspace["destinations"]):
        action, present = _action(destination, _FORWARD_PROFILE), destination["subscriptions"]
        if action is None or any(each["action"] == _FORWARD_PROFILE for each in present):
            continue
        defaults: dict[str, Any] = action.default_mapping()
        mapping = {"traits": {**defaults["traits"], key: _first_of(f"$.traits.{trait}")}}
        for advertiser in dict.fromkeys(each["mapping"].get("advertiser_id") for each in present):
            mapping["advertiser_id"] = advertiser
        added = {"name": action.title, "action": _FORWARD_PROFILE, "trigger": 'type = "identify"', "mapping": mapping}
        text = f"add a mapping of the action {action.title!r} with {key} to {destination['name']!r}"
        yield changed(case, ("destinations", index, "subscriptions"), [*present, added], text)


def with_other_properties_mode(case: Case) -> Iterator[Proposed]:
    """Each subscription with the other mode of custom properties."""
    for index, position, subscription in _subscriptions(case):
        action = _action(case.workspace["destinations"][index], subscription["action"])
        if action and MODE_FIELD in [each.key for each in action.fields]:
            mode = subscription["mapping"].get(MODE_FIELD, action.default_mapping().get(MODE_FIELD))
            other = "v1" if mode == "v2" else "v2"
            path = ("destinations", index, "subscriptions", position, "mapping", MODE_FIELD)
            yield changed(case, path, other, f"set {MODE_FIELD} of {subscription['name']!r} to {other}")


def _action(destination: dict[str, Any], name: str) -> ActionDefinition | None:
    return load_definition(destination.get("generation") or newest()).actions.get(name)


def with_credentials(case: Case) -> Iterator[Proposed]:
    """Each destination with another token that may write, with another advertiser, and with both."""
    writing = [
        (token["name"], token["token"], advertiser)
        for token in case.workspace["tokens"]
        for advertiser, scopes in token["scopes"].items()
        if "WRITE" in scopes
    ]
    for index, destination in enumerate(case.workspace["destinations"]):
        settings = destination["settings"]
        base: Path = ("destinations", index, "settings")
        for name, token, _ in dict.fromkeys((name, token, "") for name, token, _ in writing):
            if token != settings.get("apiKey"):
                text = f"give {destination['name']!r} the token {name!r}"
                yield _without_secret(changed(case, (*base, "apiKey"), token, text), name)
        for advertiser in dict.fromkeys(advertiser for _, _, advertiser in writing):
            if "advertiser_id" in settings and advertiser != settings["advertiser_id"]:
                text = f"set advertiser_id of {destination['name']!r} to {advertiser!r}"
                yield changed(case, (*base, "advertiser_id"), advertiser, text)


def _without_secret(proposed: Proposed, name: str) -> Proposed:
    """An answer names a token; it does not contain its secret."""
    change, case = proposed
    return Change(kind="credential", where=change.where, value=name, text=change.text), case


def _subscriptions(case: Case) -> Iterator[tuple[int, int, dict[str, Any]]]:
    for index, destination in enumerate(case.workspace["destinations"]):
        for position, subscription in enumerate(destination["subscriptions"]):
            yield index, position, subscription
