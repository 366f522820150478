"""The built-in scenarios, and runs of scenarios in emulators of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any, Final, Protocol

from flask import Blueprint, Flask, Response, current_app, jsonify

from emulator.errors import InputError, UserMistake
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices
from emulator.workspace import Workspace
from emulator.workspace_document import document_of
from emulator.yaml_files import dump_yaml

# The key of what opens another emulator, and of the lock of runs, in the extensions of an application.
ANOTHER: Final = "stackadapt_emulator_another"
_RUNNING: Final = "stackadapt_emulator_run"
RUN_SECONDS: Final = 60.0


class Opened(Protocol):
    """An emulator that has been opened."""

    app: Flask


Another = Callable[[Workspace], AbstractContextManager[Opened]]


class Busy(UserMistake):
    """A run is in progress: status 503."""


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""
    # Asked seldom, what the views import themselves takes long.

    @routes.get("/scenarios")
    def scenarios() -> Response:
        from emulator.harness.scenarios import listed

        wanted = (query_args()["text"] or "").casefold()
        found = [
            each
            for each in listed()
            if any(wanted in text.casefold() for text in (each["name"], each["title"], each["about"], *each["shows"]))
        ]
        return jsonify(scenarios=found, total=len(listed()))

    @routes.get("/scenarios/<group>/<name>")
    def scenario(group: str, name: str) -> Response:
        from emulator.harness.scenarios import listed, text_of

        query_args()
        text = text_of(f"{group}/{name}")
        return jsonify(**next(each for each in listed() if each["name"] == f"{group}/{name}"), text=text)

    @routes.post("/scenarios/run")
    def run() -> Response | tuple[Response, int, dict[str, str]]:
        from emulator.harness.scenarios import junit_xml, play_all, separate_emulators

        asked, body = query_args(), json_body()
        chosen = chosen_scenarios(body, own=document_of(services().sandbox.workspace))
        try:
            with one_at_a_time():
                report = play_all(chosen, separate_emulators(open_endpoint), seconds=RUN_SECONDS)
        except Busy as busy:
            return refusal_of(busy)
        if asked["format"] == "junit":
            return Response(junit_xml(report), content_type="application/xml; charset=utf-8")
        return jsonify(report.as_dict())


def chosen_scenarios(
    body: Mapping[str, Any], *, own: dict[str, Any], built_in: dict[str, Any] | None = None
) -> list[Any]:
    """The scenarios that a body asks for, by default all that are built in, in the workspace that its kind has.

    A workspace is in its JSON form, by default the default one. Raises InputError, NotFound, WorkspaceError.
    """
    from emulator.harness.scenarios import built_in_scenarios, scenarios_of

    if "scenario" in body and "document" in body:
        raise InputError("a built-in scenario and one of your own", where="scenario", allowed="one of them")
    if "document" not in body:
        return built_in_scenarios(body.get("scenario"), base=built_in)
    given = body["document"]
    return scenarios_of(given if isinstance(given, str) else dump_yaml(given), base=own)


def refusal_of(busy: Busy) -> tuple[Response, int, dict[str, str]]:
    """The response while another run is in progress."""
    return jsonify(busy.as_dict()), 503, {"Retry-After": "5"}


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Raises Busy while this emulator plays scenarios."""
    running: Lock = current_app.extensions.setdefault(_RUNNING, Lock())
    if not running.acquire(blocking=False):
        raise Busy("scenarios are being played already", where="scenarios", hint="Ask again when that run is over.")
    try:
        yield
    finally:
        running.release()


@contextmanager
def open_endpoint(workspace: Workspace) -> Iterator[Any]:
    """Another emulator of this application, for the time of a scenario."""
    from emulator.harness.client import in_process

    another: Another = current_app.extensions[ANOTHER]
    with another(workspace) as emulator, in_process(emulator.app) as endpoint:
        yield endpoint
