"""The workspace of a sandbox: read, checked and changed while it runs, as a whole or one part by its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from emulator.errors import PreconditionFailed, UserMistake
from emulator.merge_patch import merged
from emulator.server.control.request_args import json_body, query_args
from emulator.server.control.sandboxes import requested_services
from emulator.server.name_paths import CONVERTER
from emulator.server.sandboxes import Sandboxes
from emulator.server.services import SandboxServices
from emulator.server.workspace_edits import FILTERS, PARTS, SUBSCRIPTIONS, PartList, check_unmasked, masked
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of
from emulator.yaml_files import dump_yaml

Document = dict[str, Any]
# The lists that belong to a destination instance.
_OF_DESTINATIONS: Final = (SUBSCRIPTIONS, FILTERS)
# Changes a document in place.
Change = Callable[[Document], None]


def blueprint(sandboxes: Callable[[], Sandboxes]) -> Blueprint:
    """The routes below `/_emulator/workspace`."""
    routes = Blueprint("workspace", __name__)
    _add_whole(routes, sandboxes)
    lists = ", ".join(part for part in PARTS if part not in _OF_DESTINATIONS)
    views = _PartViews(sandboxes)
    _add_part(routes, views, f"/<any({lists}):part>", "part")
    for part in _OF_DESTINATIONS:
        _add_part(routes, views, f"/destinations/<{CONVERTER}:destination>/{part}", part, part=part)
    return routes


def _add_whole(routes: Blueprint, sandboxes: Callable[[], Sandboxes]) -> None:
    @routes.get("")
    def workspace() -> Response:
        asked = query_args()
        shown = document = _document(requested_services(sandboxes()).sandbox.workspace)
        if asked["mask"]:
            shown = masked(document)
        if asked["format"] == "yaml":
            return _tagged(Response(dump_yaml(shown), content_type="application/yaml; charset=utf-8"), document)
        return _answer({"workspace": shown}, document)

    @routes.put("")
    def replace() -> Response:
        given = _given(_body())
        return _changed(sandboxes(), lambda document: _become(document, given), _whole)

    @routes.patch("")
    def patch() -> Response:
        given = _body()
        return _changed(sandboxes(), lambda document: _become(document, merged(document, given)), _whole)

    @routes.post("/check")
    def check() -> Response:
        given = _given(_body())
        check_unmasked(given)
        services = requested_services(sandboxes())
        return jsonify(valid=_valid(services, given), findings=findings_of(given))


@dataclass(frozen=True, slots=True)
class _PartViews:
    """What requests do to the items of a part; `destination` names the instance that a list belongs to."""

    sandboxes: Callable[[], Sandboxes]

    def every(self, part: str, destination: str | None = None) -> Response:
        items, document = self._shown(part, destination)
        return _answer({"items": items.items}, document)

    def one(self, part: str, name: str, destination: str | None = None) -> Response:
        items, document = self._shown(part, destination)
        return _answer({"item": items.get(name)}, document)

    def add(self, part: str, destination: str | None = None) -> tuple[Response, int]:
        item = _body()
        if part == SUBSCRIPTIONS:
            # As Segment's form, which creates a mapping that is off.
            item = {"enabled": False, **item}
        return self._changed(part, destination, lambda items: items.add(item)), 201

    def put(self, part: str, name: str, destination: str | None = None) -> Response:
        item = _body()
        return self._changed(part, destination, lambda items: items.put(name, item))

    def patch(self, part: str, name: str, destination: str | None = None) -> Response:
        item = _body()
        return self._changed(part, destination, lambda items: items.patch(name, item))

    def remove(self, part: str, name: str, destination: str | None = None) -> Response:
        return self._changed(part, destination, lambda items: items.remove(name))

    def _shown(self, part: str, destination: str | None) -> tuple[PartList, Document]:
        document = _document(requested_services(self.sandboxes()).sandbox.workspace)
        shown = masked(document) if query_args()["mask"] else document
        return PartList(shown, part, destination=destination), document

    def _changed(self, part: str, destination: str | None, change: Callable[[PartList], int | None]) -> Response:
        position: int | None = None

        def changed(document: Document) -> None:
            nonlocal position
            position = change(PartList(document, part, destination=destination))

        def shown(document: Document) -> Document:
            if position is None:
                return {}
            return {"item": PartList(document, part, destination=destination).items[position]}

        return _changed(self.sandboxes(), changed, shown)


def _add_part(routes: Blueprint, views: _PartViews, path: str, kind: str, **fixed: str) -> None:
    """The routes of a part at a path; `kind` is for the names of the endpoints, `fixed` what the path does not say."""
    listed: Mapping[str, Callable[..., Any]] = {"GET": views.every, "POST": views.add}
    named: Mapping[str, Callable[..., Any]] = {
        "GET": views.one,
        "PUT": views.put,
        "PATCH": views.patch,
        "DELETE": views.remove,
    }
    for rule, by_method in ((path, listed), (f"{path}/<{CONVERTER}:name>", named)):
        for method, view in by_method.items():
            endpoint = f"{kind}_{view.__name__}"
            # A name may have two slashes in a row.
            routes.add_url_rule(
                rule, endpoint=endpoint, view_func=view, methods=[method], defaults=fixed, merge_slashes=False
            )


def _body() -> Document:
    """The body of a request whose query string is valid."""
    query_args()
    return json_body()


def _document(workspace: Workspace) -> Document:
    """The JSON form, which the caller may change."""
    document: Document = json.loads(json.dumps(document_of(workspace)))
    return document


def _given(body: Document) -> Document:
    """The workspace in a body: the body itself, or `workspace` in it, as a response has it."""
    given = body.get("workspace", body)
    return given if isinstance(given, dict) else body


def _become(document: Document, given: Document) -> None:
    changed = dict(given)
    document.clear()
    document.update(changed)


def _whole(document: Document) -> Document:
    return {"workspace": document}


def _changed(sandboxes: Sandboxes, change: Change, shown: Callable[[Document], Document]) -> Response:
    """Changes the workspace of the requested sandbox; the response has what `shown` makes of it, and the findings."""
    asked = query_args()
    services = requested_services(sandboxes)

    def edit(workspace: Workspace) -> Workspace:
        document = _document(workspace)
        _check_match(document)
        change(document)
        check_unmasked(document)
        return parse_workspace(document)

    document = _document(sandboxes.change(services.sandbox.name, edit).workspace)
    computed = {"computed": services.segment.compute_all()} if asked["compute"] else {}
    return _answer({**shown(document), **computed}, document)


def _answer(shown: Document, document: Document) -> Response:
    return _tagged(jsonify(**shown, findings=findings_of(document)), document)


def _tagged(response: Response, document: Document) -> Response:
    response.set_etag(_tag(document))
    return response


def _tag(document: Document) -> str:
    """The same for every form in which the workspace is shown."""
    return hashlib.sha256(_text(document).encode()).hexdigest()[:24]


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _check_match(document: Document) -> None:
    """Raises PreconditionFailed when the request was made for another workspace."""
    if "If-Match" in request.headers and not request.if_match.contains(_tag(document)):
        raise PreconditionFailed(
            "the workspace has changed since it was read",
            where="If-Match",
            found=request.headers["If-Match"],
            allowed=f'"{_tag(document)}"',
            hint="Read it again, and repeat the change.",
        )


def _valid(services: SandboxServices, given: Document) -> bool:
    try:
        services.prepare(parse_workspace(given))
    except UserMistake:
        return False
    return True


def findings_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `lint` finds in a workspace in JSON form, or why it cannot be used."""
    found: list[dict[str, Any]] = json.loads(_findings(_text(document)))
    return found


@lru_cache(maxsize=32)
def _findings(text: str) -> str:
    from emulator.harness.checks import workspace_findings  # not every process needs the checks

    return json.dumps([finding.as_dict() for finding in workspace_findings(json.loads(text))])
