"""The routes that create, list and delete sandboxes, and how a control request selects one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.errors import NotFound
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER
from emulator.server.control.request_args import json_body
from emulator.server.copies import copy_of
from emulator.server.sandboxes import NamedSandbox, Sandboxes, UnreadableSandbox
from emulator.server.services import SandboxServices
from emulator.workspace import WRITE, Workspace


def blueprint(sandboxes: Callable[[], Sandboxes]) -> Blueprint:
    """The routes below `/_emulator/sandboxes`."""
    routes = Blueprint("sandboxes", __name__)

    @routes.post("")
    def create() -> tuple[Response, int]:
        given = json_body()
        source = given.pop("copyOf", None)
        if source is None:
            return jsonify(_shown(sandboxes().create(**given))), 201
        return jsonify(_shown(copy_of(sandboxes(), source, **given))), 201

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


def requested_services(sandboxes: Sandboxes) -> SandboxServices:
    """The services of the sandbox that the current request names in its header, else by its token, else of the default.

    Raises NotFound for a name or a token that no sandbox has.
    """
    name = request.headers.get(SANDBOX_HEADER)
    if name is not None:
        return sandboxes.services(name)
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return sandboxes.services(DEFAULT_SANDBOX)
    services = sandboxes.services_of_token(token.strip())
    if services is None:
        raise NotFound(
            "no sandbox has this token",
            where="Authorization",
            hint=f"GET /_emulator/sandboxes lists the sandboxes; {SANDBOX_HEADER} selects one by name.",
        )
    return services


def _summary(sandbox: NamedSandbox | UnreadableSandbox) -> dict[str, Any]:
    if isinstance(sandbox, UnreadableSandbox):
        return {"name": sandbox.name, "seed": None, "error": str(sandbox.error)}
    return {"name": sandbox.name, "seed": sandbox.workspace.seed}


def shown_at(root: str, sandbox: NamedSandbox) -> dict[str, Any]:
    """A sandbox of the emulator at a base URL, with its credentials."""
    workspace = sandbox.workspace
    return {
        **_summary(sandbox),
        "token": _writing_token(workspace),
        "tokens": {token.name: token.secret for token in workspace.tokens},
        "writeKey": workspace.sources[0].write_key if workspace.sources else None,
        "writeKeys": {source.name: source.write_key for source in workspace.sources},
        "graphql": f"{root}/graphql",
        "segment": f"{root}/v1",
        "control": f"{root}/_emulator",
        "apiVersion": workspace.api_version,
        "advertisers": {advertiser.id: advertiser.name for advertiser in workspace.advertisers},
    }


def _shown(sandbox: NamedSandbox) -> dict[str, Any]:
    return shown_at(request.host_url.rstrip("/"), sandbox)


def _writing_token(workspace: Workspace) -> str | None:
    """The first token with write access to an advertiser, else the first token."""
    writing = [token for token in workspace.tokens if any(WRITE in scopes for scopes in token.scopes.values())]
    return next((token.secret for token in (*writing, *workspace.tokens)), None)
