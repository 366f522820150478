"""The workspace of a sandbox: read, checked and changed while it runs, as a whole or one part by its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from emulator.artefacts import fixture
from emulator.errors import NotFound, PreconditionFailed, UserMistake, WorkspaceError, unknown
from emulator.merge_patch import merged
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.control.request_args import json_body, query_args
from emulator.server.control.sandboxes import requested_services
from emulator.server.name_paths import CONVERTER
from emulator.server.sandboxes import Sandboxes
from emulator.server.services import SandboxServices
from emulator.server.workspace_edits import FILTERS, PARTS, SUBSCRIPTIONS, PartList, check_unmasked, masked
from emulator.text_files import NotUtf8, decode, read_text
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_diff import diff
from emulator.workspace_document import document_of
from emulator.workspace_file import parse
from emulator.yaml_files import dump_yaml
from emulator.yaml_lines import lines_in

Document = dict[str, Any]
YAML = "application/yaml"
# How errors name a body in YAML.
_BODY = "workspace"
_YAML_TYPES = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})
# First workspaces, as files with comments.
TEMPLATES = {"starter": "starter-workspace.yaml", "default": "workspace.yaml", "empty": "empty-workspace.yaml"}
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
        return _shown(requested_services(sandboxes()).sandbox.workspace)

    @routes.put("")
    def replace() -> Response:
        given = _whole_body()
        return _changed(sandboxes(), lambda document: _become(document, given), _whole)

    @routes.patch("")
    def patch() -> Response:
        given = _body()
        return _changed(sandboxes(), lambda document: _become(document, merged(document, given)), _whole)

    @routes.post("/check")
    def check() -> Response:
        given = _whole_body()
        check_unmasked(given)
        services = requested_services(sandboxes())
        return jsonify(valid=_valid(services, given), findings=_with_lines(findings_of(given)))

    @routes.post("/diff")
    def compare() -> Response:
        given, before = _whole_body(), query_args()["before"]
        check_unmasked(given)
        known = sandboxes()
        services = requested_services(known)
        active = services.sandbox.workspace if before == "active" else known.started_with
        lines = diff(
            document_of(active),
            document_of(parse_workspace(given)),
            names=(before, "given"),
            secrets=services.sandbox.name == DEFAULT_SANDBOX and not query_args()["mask"],
        )
        return jsonify(differs=bool(lines), diff=lines)

    @routes.get("/start")
    def start() -> Response:
        known = sandboxes()
        path, refused = known.watched or (None, None)
        return _shown(known.started_with, file=path, refused=refused)

    @routes.get("/templates/<template>")
    def template(template: str) -> Response:
        query_args()
        if template not in TEMPLATES:
            raise unknown("template", template, TEMPLATES, error=NotFound)
        return Response(read_text(fixture(TEMPLATES[template])), content_type=f"{YAML}; charset=utf-8")


def _shown(workspace: Workspace, **more: Any) -> Response:
    """A workspace as the request asks for it; JSON has `more`."""
    asked = query_args()
    shown = document = _document(workspace)
    if asked["mask"]:
        shown = masked(document)
    if asked["format"] == "yaml":
        return _tagged(Response(dump_yaml(shown), content_type=f"{YAML}; charset=utf-8"), document)
    return _answer({"workspace": shown, **more}, document)


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


def _whole_body() -> Document:
    """The workspace in a body, in YAML where the request says so. Raises InputError, WorkspaceError."""
    if request.mimetype not in _YAML_TYPES:
        return _given(_body())
    query_args()
    return _given(dict(parse(_decoded(request.get_data()), where=_BODY)))


def _decoded(content: bytes) -> str:
    try:
        return decode(content)
    except NotUtf8 as error:
        raise WorkspaceError(str(error), where=_BODY, hint=error.hint) from None


def _with_lines(findings: list[Document]) -> list[Document]:
    """Findings about a body in YAML, with the line of each."""
    if request.mimetype not in _YAML_TYPES:
        return findings
    line = lines_in(request.get_data(as_text=True))
    return [{**finding, "line": line(finding["place"])} for finding in findings]


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
