"""What the form of a mapping shows: the fields of its action, events to try it with, and a draft before it is saved."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.segment.delivery.subscriptions import definition_of
from emulator.segment.lookups import check_destination
from emulator.server.control.request_args import json_body
from emulator.server.services import CurrentServices
from emulator.workspace import Destination, Workspace


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    # A name may have two slashes in a row.
    options: dict[str, Any] = {"merge_slashes": False}

    # Asked seldom, what the views import themselves takes long.

    @routes.get("/destinations/<name:destination>/fields", **options)
    def destination_fields(destination: str) -> Response:
        from emulator.harness.action_fields import actions_of

        definition = definition_of(_named(services().sandbox.workspace, destination))
        return jsonify(
            generation=definition.generation,
            advertiserFrom=definition.advertiser_from,
            actions=actions_of(definition),
        )

    @routes.get("/destinations/<name:destination>/samples", **options)
    def destination_samples(destination: str) -> Response:
        from emulator.harness.sample_events import sample_events

        workspace = services().sandbox.workspace
        return jsonify(samples=sample_events(workspace, _named(workspace, destination)))

    @routes.post("/destinations/<name:destination>/check", **options)
    def check_subscription(destination: str) -> Response:
        from emulator.harness.mapping_draft import checked, draft_of

        body = json_body()
        draft = draft_of(
            services().sandbox.workspace, destination, body["subscription"], conditions=body.get("conditions")
        )
        return jsonify(checked(draft, body.get("event")))


def _named(workspace: Workspace, name: str) -> Destination:
    check_destination(workspace, name)
    return next(destination for destination in workspace.destinations if destination.name == name)
