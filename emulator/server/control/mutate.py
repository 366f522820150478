"""Which mistakes in the workspace of a sandbox its scenarios do not notice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.errors import InputError
from emulator.server.control.request_args import json_body, query_args
from emulator.server.control.scenarios import RUN_SECONDS, Busy, one_at_a_time, open_endpoint, refusal_of
from emulator.server.services import CurrentServices
from emulator.workspace_document import document_of

_SAMPLE = 10


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
    scenarios = _scenarios(body, document)
    judge, events = ScenarioJudge(scenarios, separate_emulators(open_endpoint)), body.get("events", EVENTS)
    found = judged(document, picked, judge, events=events, seed=body.get("seed", 1), seconds=RUN_SECONDS)
    against = f"{len(scenarios):,} {'scenario' if len(scenarios) == 1 else 'scenarios'}"
    return Mutants(workspace=name, against=against, possible=len(mutations), judged=found, events=events)


def _scenarios(body: Mapping[str, Any], document: dict[str, Any]) -> list[Any]:
    """The scenarios of the body, or the built-in ones, in this workspace."""
    from emulator.harness.scenarios import built_in, path_of, read_scenarios, scenarios_of
    from emulator.yaml_files import dump_yaml

    if "scenario" in body and "document" in body:
        raise InputError("a built-in scenario and one of your own", where="scenario", allowed="one of them")
    if "document" in body:
        given = body["document"]
        return scenarios_of(given if isinstance(given, str) else dump_yaml(given), base=document)
    return read_scenarios([path_of(body["scenario"]) if "scenario" in body else built_in()], base=document)
