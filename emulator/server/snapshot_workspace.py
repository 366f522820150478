"""The workspace in a snapshot: everything but the secrets, which it has from the sandbox that it is loaded into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.errors import UserMistake
from emulator.ids import secret
from emulator.server.snapshot_rows import damaged
from emulator.server.workspace_edits import MASK, masked
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of

_TOKEN_OF = "tokenOf"  # noqa: S105 - a key


def without_secrets(workspace: Workspace) -> dict[str, Any]:
    """The workspace in JSON form, masked; `tokenOf` has the name of the token of each destination instance."""
    names = {token.secret: token.name for token in workspace.tokens}
    tokens = {each.name: names.get(each.settings.get("apiKey", "")) for each in workspace.destinations}
    return {"document": masked(document_of(workspace)), _TOKEN_OF: tokens}


def with_secrets(kept: Any, present: Workspace) -> Workspace:
    """The workspace in a snapshot, with the secrets that `present` has under the same names, and new ones for others.

    Raises InputError for a damaged one.
    """
    try:
        return parse_workspace(_filled(kept["document"], kept[_TOKEN_OF], document_of(present)))
    except (UserMistake, TypeError, KeyError, AttributeError, ValueError) as error:
        raise damaged(f"its workspace is invalid: {error}") from None


def _filled(document: Mapping[str, Any], token_of: Mapping[str, str | None], present: Any) -> dict[str, Any]:
    tokens = {token["name"]: token["token"] for token in present["tokens"]}
    write_keys = {source["name"]: source["writeKey"] for source in present["sources"]}
    keys = {each["name"]: each["settings"].get("apiKey", MASK) for each in present["destinations"]}
    filled = dict(document)
    filled["tokens"] = [
        {**token, "token": tokens.setdefault(token["name"], secret("sa-"))} for token in document["tokens"]
    ]
    filled["sources"] = [
        {**source, "writeKey": write_keys.setdefault(source["name"], secret("segment-"))}
        for source in document["sources"]
    ]
    filled["destinations"] = []
    for each in document["destinations"]:
        api_key = tokens.get(token_of.get(each["name"]) or "", keys.get(each["name"], MASK))
        filled["destinations"].append({**each, "settings": {**each["settings"], "apiKey": api_key}})
    return filled
