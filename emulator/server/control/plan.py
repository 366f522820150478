"""What a change of the workspace would do to a population."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from emulator.durations import parse_duration
from emulator.errors import InputError
from emulator.server.control.request_args import json_body, query_args
from emulator.server.services import CurrentServices, SandboxServices
from emulator.text import without_addresses
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_file import parse


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the route."""

    @routes.post("/plan")
    def plan() -> Response:
        # Asked seldom, imports much.
        from emulator.harness.plan import as_markdown, lines_of_plan
        from emulator.server.plan_runs import plan as planned_change

        asked, body, own = query_args(), json_body(), services()
        if asked["mask"] and asked["format"] == "json":
            raise InputError(
                "the JSON form has email addresses", where="mask", allowed="mask with format=text or format=markdown"
            )
        workspace = own.sandbox.workspace
        old = _workspace(body["old"], workspace, where="old") if "old" in body else workspace
        new = _workspace(body["new"], workspace, where="new")
        further = parse_duration(body.get("advance", "1d"), where="advance")
        found = planned_change(old, new, population_of(body, own), further=further)
        if asked["format"] == "json":
            return jsonify(found.as_dict())
        markdown = asked["format"] == "markdown"
        text = as_markdown(found) if markdown else "".join(f"{line}\n" for line in lines_of_plan(found))
        kind = "text/markdown" if markdown else "text/plain"
        return Response(without_addresses(text) if asked["mask"] else text, content_type=f"{kind}; charset=utf-8")


def _workspace(given: str | dict[str, Any], base: Workspace, *, where: str) -> Workspace:
    """The workspace in its JSON form, as YAML, or `base` at a generation or API version. Raises WorkspaceError."""
    from emulator.harness.plan import at_version

    if isinstance(given, str):
        if (found := at_version(given, base, where=where)) is not None:
            return found
        given = dict(parse(given, where=where))
    return parse_workspace(given, where=where)


def population_of(body: dict[str, Any], services: SandboxServices) -> Any:
    """The people of a request for a comparison: those whom the sandbox knows, or generated ones. Raises InputError."""
    from emulator.harness.plan import generated_people, people_known

    if body.get("known"):
        for name in ("people", "seed"):
            if name in body:
                raise InputError(
                    "the people whom the sandbox knows are not generated",
                    where=name,
                    found=body[name],
                    hint="Leave out people and seed, or known.",
                )
        known = people_known(services)
        if not known.calls:
            hint = "Send it events first, or take generated people."
            raise InputError("the sandbox knows no people", where="known", hint=hint)
        return known
    return generated_people(body.get("people", 1000), body.get("seed", 1))
