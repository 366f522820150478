"""Sandboxes of one's own: make them, look them up, delete them; and which of them a control request speaks to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from emulator.errors import NotFound
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER
from emulator.server.control.request_args import json_body, refuse_unknown
from emulator.server.sandboxes import UnreadableSandbox
from emulator.workspace import WRITE, Workspace

if TYPE_CHECKING:
    from emulator.server.sandboxes import NamedSandbox, Sandboxes
    from emulator.server.services import SandboxServices

_KEYS = ("name", "seed", "workspace")


def blueprint(sandboxes: Callable[[], Sandboxes]) -> Blueprint:
    """The routes below `/_emulator/sandboxes`."""
    routes = Blueprint("sandboxes", __name__)

    @routes.post("")
    def create() -> tuple[Response, int]:
        body = json_body() if request.get_data() else {}
        refuse_unknown(body, _KEYS, "a sandbox has no such setting.")
        return jsonify(_shown(sandboxes().create(**body))), 201

    @routes.get("")
    def every() -> Response:
        return jsonify(sandboxes=[_summary(sandbox) for sandbox in sandboxes().all()])

    @routes.get("/<name>")
    def one(name: str) -> Response:
        return jsonify(_shown(sandboxes().get(name)))

    @routes.delete("/<name>")
    def remove(name: str) -> tuple[str, int]:
        sandboxes().delete(name)
        return "", 204

    return routes


def chosen_services(sandboxes: Sandboxes) -> SandboxServices:
    """The world that the request under way names in its header, else that of its token, else the default one.

    Raises NotFound for a name or a token that no sandbox has.
    """
    name = request.headers.get(SANDBOX_HEADER)
    if name is not None:
        return sandboxes.world(name)
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return sandboxes.world(DEFAULT_SANDBOX)
    world = sandboxes.services_of_token(token.strip())
    if world is None:
        raise NotFound(
            "no sandbox has this token",
            where="Authorization",
            hint=f"GET /_emulator/sandboxes lists the sandboxes; {SANDBOX_HEADER} chooses one by name.",
        )
    return world


def _summary(sandbox: NamedSandbox | UnreadableSandbox) -> dict[str, Any]:
    if isinstance(sandbox, UnreadableSandbox):
        return {"name": sandbox.name, "seed": None, "error": str(sandbox.error)}
    return {"name": sandbox.name, "seed": sandbox.workspace.seed}


def _shown(sandbox: NamedSandbox) -> dict[str, Any]:
    workspace, root = sandbox.workspace, request.host_url.rstrip("/")
    return {
        **_summary(sandbox),
        "token": _writing_token(workspace),
        "tokens": {token.name: token.secret for token in workspace.tokens},
        "writeKey": workspace.sources[0].write_key if workspace.sources else None,
        "writeKeys": {source.name: source.write_key for source in workspace.sources},
        "graphql": f"{root}/graphql",
        "segment": f"{root}/v1",
        "control": f"{root}/_emulator",
        "advertisers": {advertiser.id: advertiser.name for advertiser in workspace.advertisers},
    }


def _writing_token(workspace: Workspace) -> str | None:
    """The first token that may write somewhere, else the first."""
    writing = [token for token in workspace.tokens if any(WRITE in scopes for scopes in token.scopes.values())]
    return next((token.secret for token in (*writing, *workspace.tokens)), None)
