"""What Segment offers while a destination is set up: connection test, choices of a field, *Send test event*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify
from flask import Response as HttpResponse

from emulator.mapping import OutgoingRequest, Response, Send, SendError, newest
from emulator.segment.lookups import check_destination
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices, SandboxServices
from emulator.transport import Transport, TransportError
from emulator.workspace import Destination, Workspace

if TYPE_CHECKING:
    from emulator.harness.event_tester import Endpoint

_BETWEEN = "/subscriptions/"
_ENDPOINT = "http://127.0.0.1/graphql"


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    # A name may have two slashes in a row.
    options: dict[str, Any] = {"merge_slashes": False}

    # Asked seldom, what the views import themselves takes long.

    @routes.post("/destinations/<name:destination>/test", **options)
    def test_destination(destination: str) -> HttpResponse:
        return _connection_tested(services(), destination, **json_body())

    @routes.get("/catalog")
    def catalog() -> HttpResponse:
        from emulator.harness.catalog import catalog as entries

        query_args()
        return jsonify(destinations=entries())

    @routes.get("/destinations/<name:destination>/choices/<field>", **options)
    def destination_choices(destination: str, field: str) -> HttpResponse:
        from emulator.harness.connection_test import choices

        current, asked = services(), query_args()
        found = _destination(current, destination)
        return jsonify(choices(field=field, send=_send_to(current.transport_to(found)), **_asked(found), **asked))

    @routes.post("/destinations/<name:destination>/subscriptions/<name:subscription>/test", **options)
    def test_subscription(destination: str, subscription: str) -> HttpResponse:
        current = services()
        text = f"{destination}{_BETWEEN}{subscription}"
        if any(text == known.name for known in current.sandbox.workspace.destinations):
            return _connection_tested(current, text, **json_body())
        named = next(_names_in(text, current.sandbox.workspace), (destination, subscription))
        return _event_tested(current, *named, **json_body())


def _connection_tested(
    current: SandboxServices, name: str, *, settings: Mapping[str, str] | None = None
) -> HttpResponse:
    from emulator.harness.connection_test import connection_test

    found = _destination(current, name)
    asked = _asked(found if settings is None else replace(found, settings={"apiKey": "", **settings}))
    return jsonify(connection_test(send=_send_to(current.transport_to(found)), **asked).as_dict())


def _names_in(text: str, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """The destination instance and the subscription in a part of a path: either name may have slashes, too."""
    for known in workspace.destinations:
        name, _, subscription = text.partition(f"{known.name}{_BETWEEN}")
        if not name and any(subscription == each.name for each in known.subscriptions):
            yield known.name, subscription


def _event_tested(
    current: SandboxServices,
    destination: str,
    subscription: str,
    *,
    event: Mapping[str, Any] | None = None,
    keep: bool = False,
    draft: Mapping[str, Any] | None = None,
) -> HttpResponse:
    from emulator.harness.event_tester import context_named, sample_event, send_test_event
    from emulator.harness.mapping_draft import with_subscription

    workspace = current.sandbox.workspace
    if draft is not None:
        workspace = with_subscription(workspace, destination, {**draft, "name": subscription})
    context = context_named(workspace, destination, subscription)
    with _endpoint(current, context.destination, keep=keep) as endpoint:
        tested = send_test_event(context, sample_event(context) if event is None else event, endpoint)
    return jsonify(tested | {"sample": event is None, "kept": keep})


def _destination(current: SandboxServices, name: str) -> Destination:
    workspace = current.sandbox.workspace
    check_destination(workspace, name)
    return next(destination for destination in workspace.destinations if destination.name == name)


def _asked(destination: Destination) -> dict[str, Any]:
    return {
        "generation": destination.generation or newest(),
        "token": destination.settings.get("apiKey", ""),
        "endpoint": destination.endpoint or _ENDPOINT,
    }


def _send_to(transport: Transport) -> Send:
    def send(outgoing: OutgoingRequest) -> Response:
        try:
            response = transport.post(outgoing.headers, outgoing.body)
        except TransportError as error:
            raise SendError("FetchError", error.message, error.code) from error
        return Response(status=response.status, reason=response.reason, headers=response.headers, body=response.text)

    return send


@contextmanager
def _endpoint(current: SandboxServices, destination: Destination, *, keep: bool) -> Iterator[Endpoint]:
    """Where the test event goes: to the endpoint of the destination instance, or to a copy of this StackAdapt."""
    from emulator.harness.event_tester import Endpoint
    from emulator.server.scratch import open_scratch

    if keep:
        clock = current.sandbox.clock
        yield Endpoint(
            transport=current.transport_to(destination), stackadapt=current.stackadapt, now=clock.now, advance=None
        )
        return
    with open_scratch(current) as copy:
        own = next(each for each in copy.sandbox.workspace.destinations if each.name == destination.name)
        yield Endpoint(
            transport=copy.transport_to(own),
            stackadapt=copy.stackadapt,
            now=copy.sandbox.clock.now,
            advance=copy.advance,
        )
