"""Which mistakes in the workspace of a sandbox its scenarios do not notice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.errors import InputError, NotFound
from emulator.server.control.request_args import json_body, query_args
from emulator.server.control.scenarios import (
    RUN_SECONDS,
    Busy,
    chosen_scenarios,
    one_at_a_time,
    open_endpoint,
    refusal_of,
)
from emulator.server.services import CurrentServices
from emulator.text import counted_noun
from emulator.workspace_document import document_of

_SAMPLE = 10
_BUILT_IN = "The built-in scenarios are about the default workspace. Give one of your own, as `document`."


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.post("/mutate")
    def mutate() -> Response | tuple[Response, int, dict[str, str]]:
        # Asked seldom, imports much.
        from emulator.harness.mutate import as_markdown

        asked, body, sandbox = query_args(), json_body(), services().sandbox
        try:
            with one_at_a_time():
                found = _mutants(body, document_of(sandbox.workspace), sandbox.name)
        except Busy as busy:
            return refusal_of(busy)
        if asked["format"] == "markdown":
            return Response(as_markdown(found), content_type="text/markdown; charset=utf-8")
        return jsonify(found.as_dict())


def _mutants(body: Mapping[str, Any], document: dict[str, Any], name: str) -> Any:
    """The report. Raises InputError, NotFound, WorkspaceError."""
    from emulator.harness.mutate import EVENTS, Mutants, ScenarioJudge, chosen, judged, mutations_of
    from emulator.harness.scenarios import separate_emulators

    mutations = mutations_of(document)
    picked = chosen(mutations, only=body.get("only", ()), sample=body.get("sample", _SAMPLE), seed=body.get("seed", 1))
    events = body.get("events", EVENTS)
    with _advising(body):
        scenarios = chosen_scenarios(body, own=document, built_in=document)
        judge = ScenarioJudge(scenarios, separate_emulators(open_endpoint))
        found = judged(document, picked, judge, events=events, seed=body.get("seed", 1), seconds=RUN_SECONDS)
    against = counted_noun(len(scenarios), "scenario")
    return Mutants(workspace=name, against=against, possible=len(mutations), judged=found, events=events)


@contextmanager
def _advising(body: Mapping[str, Any]) -> Iterator[None]:
    """Says what to do about built-in scenarios that do not fit the workspace: their files cannot be corrected."""
    try:
        yield
    except NotFound:
        raise
    except InputError as error:
        if "document" not in body:
            error.hint = _BUILT_IN
        raise
