"""The JSON form of a workspace: `parse_workspace(document_of(workspace))` is the same workspace.

Defaults are left out, so that the document reads like a workspace file. It contains secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from emulator.workspace import (
    DEFAULT_SETUP,
    LAST,
    Advertiser,
    Audience,
    Connection,
    Destination,
    Filter,
    FilterAction,
    Identifier,
    Ingestion,
    Journey,
    Source,
    Space,
    Step,
    StepConnection,
    Subscription,
    Token,
    Workspace,
)
from emulator.workspace_protocols import controls_document, plan_document

Document = dict[str, Any]


def document_of(workspace: Workspace) -> Document:
    """The workspace as `contracts/workspace.schema.json` describes it, secrets included."""
    limit, plans = workspace.rate_limit, workspace.tracking_plans
    return {
        "name": workspace.name,
        **_unless_default(workspace, timing="timing", seed="seed", api_version="apiVersion"),
        "user": {"email": workspace.user_email},
        "advertisers": [_advertiser(each) for each in workspace.advertisers],
        "tokens": [_token(each) for each in workspace.tokens],
        "sources": [_source(each) for each in workspace.sources],
        **({"trackingPlans": [plan_document(each) for each in plans]} if plans else {}),
        "space": _space(workspace.space),
        "audiences": [_audience(each) for each in workspace.audiences],
        "journeys": [_journey(each) for each in workspace.journeys],
        "destinations": [_destination(each) for each in workspace.destinations],
        "ingestion": _ingestion(workspace.ingestion),
        "faults": [dict(each) for each in workspace.faults],
        **({} if limit is None else {"rateLimit": limit.as_dict()}),
    }


def _advertiser(advertiser: Advertiser) -> Document:
    return {"id": advertiser.id, "name": advertiser.name, **_unless_default(advertiser, description="description")}


def _token(token: Token) -> Document:
    expires = {} if token.expires_at is None else {"expiresAt": token.expires_at.isoformat()}
    scopes = {advertiser: sorted(scopes) for advertiser, scopes in token.scopes.items()}
    return {"token": token.secret, "name": token.name, "scopes": scopes, **expires}


def _source(source: Source) -> Document:
    schema = controls_document(source.schema)
    return {
        "name": source.name,
        "writeKey": source.write_key,
        **_unless_default(source, enabled="enabled", tracking_plan="trackingPlan"),
        **({"schema": schema} if schema else {}),
    }


def _space(space: Space) -> Document:
    listed = {} if space.identifiers is None else {"identifiers": [_identifier(each) for each in space.identifiers]}
    return {
        "id": space.id,
        "name": space.name,
        **listed,
        **_unless_default(space, keep_all_events="keepAllEvents"),
    }


def _identifier(identifier: Identifier) -> Document:
    blocked = [*identifier.blocked_values, *({"pattern": pattern} for pattern in identifier.blocked_patterns)]
    return {
        "type": identifier.type,
        **_unless_none(key=identifier.key),
        **({"blockedValues": blocked} if blocked else {}),
    }


def _audience(audience: Audience) -> Document:
    return {
        "key": audience.key,
        "id": audience.id,
        "name": audience.name,
        **_unless_default(audience, computation="computation", include_history="includeHistory"),
        "condition": dict(audience.condition),
    }


def _journey(journey: Journey) -> Document:
    exit_ = {} if journey.exit is None else {"exit": dict(journey.exit)}
    steps = [_step(step) for step in journey.steps]
    return {"id": journey.id, "name": journey.name, "entry": dict(journey.entry), **exit_, "steps": steps}


def _step(step: Step) -> Document:
    wait = {"wait": _duration(step.wait)} if step.wait else {}
    condition = {} if step.condition is None else {"condition": dict(step.condition)}
    return {"key": step.key, "name": step.name, **wait, **condition}


def _destination(destination: Destination) -> Document:
    age = {} if destination.batch_age is None else {"age": _duration(destination.batch_age)}
    batch = _unless_default(destination, batch_size="size", batch_concurrency="concurrency", batch_retries="retries")
    batch |= age
    return {
        "name": destination.name,
        **_unless_none(generation=destination.generation, endpoint=destination.endpoint, source=destination.source),
        **_unless_default(destination, enabled="enabled"),
        **({"filters": [_filter(each) for each in destination.filters]} if destination.filters else {}),
        **({"consent": {"categories": list(destination.consent)}} if destination.consent else {}),
        "settings": dict(destination.settings),
        "audiences": [_connection(each) for each in destination.connections],
        "journeySteps": [_step_connection(each) for each in destination.step_connections],
        **({"batch": batch} if batch else {}),
        "subscriptions": [_subscription(each) for each in destination.subscriptions],
    }


def _filter(each: Filter) -> Document:
    return {
        "title": each.title,
        **_unless_default(each, description="description", enabled="enabled"),
        "if": each.condition,
        "actions": [_filter_action(action) for action in each.actions],
    }


def _filter_action(action: FilterAction) -> Document:
    fields = None if action.fields is None else {path: list(names) for path, names in action.fields.items()}
    return {"type": action.type, **_unless_none(percent=action.percent, path=action.path, fields=fields)}


def _connection(connection: Connection) -> Document:
    return {
        "key": connection.audience_key,
        **_unless_default(
            connection,
            send_track="sendTrack",
            send_identify="sendIdentify",
            enter_event="enterEvent",
            exit_event="exitEvent",
        ),
        **_customized(connection.email, connection.traits),
    }


def _step_connection(connection: StepConnection) -> Document:
    given = _unless_default(connection, event="event", events="events")
    return {"key": connection.step_key, **given, **_customized(connection.email, connection.traits)}


def _customized(email: str | None, traits: Mapping[str, str]) -> Document:
    """The settings of Engage's customized setup: which emails and which traits are sent."""
    renamed = any(trait != name for trait, name in traits.items())
    return {
        **({} if email == DEFAULT_SETUP else {"email": True if email == LAST else email or False}),
        **({"traits": dict(traits) if renamed else list(traits)} if traits else {}),
    }


def _subscription(subscription: Subscription) -> Document:
    return {
        "name": subscription.name,
        "action": subscription.action,
        "trigger": subscription.trigger,
        "mapping": dict(subscription.mapping),
        **_unless_default(subscription, defaults="defaults", enabled="enabled"),
    }


def _ingestion(ingestion: Ingestion) -> Document:
    return _unless_default(
        ingestion,
        latency="latency",
        report_rejections="reportRejections",
        mapping_race="mappingRace",
        record_without_email="recordWithoutEmail",
        shared_external_id="sharedExternalId",
    )


def _unless_default(of: Any, **names: str) -> Document:
    """The fields that differ from their defaults, by their keys in the document."""
    defaults = {field.name: field.default for field in fields(of)}
    return {key: getattr(of, name) for name, key in names.items() if getattr(of, name) != defaults[name]}


def _unless_none(**values: Any) -> Document:
    return {key: value for key, value in values.items() if value is not None}


def _duration(duration: timedelta) -> str:
    return f"{duration.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"


def set_at(document: Document, path: Iterable[str | int], value: object) -> None:
    """Sets the value at a path, in place; objects that are missing on the way are added."""
    *way, last = path
    inner: Any = document
    for key in way:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[key]
    inner[last] = value
