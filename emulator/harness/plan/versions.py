"""A workspace at another version of the two services, as one side of a plan."""

from __future__ import annotations

import re

from emulator.errors import unknown
from emulator.mapping import generations
from emulator.stackadapt.graphql.schema import API_VERSIONS
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of

_VERSION = re.compile(r"[0-9]+[.-][0-9.]+")


def is_version(text: str) -> bool:
    """Whether it is a generation of the destination or an API version of StackAdapt."""
    return text in API_VERSIONS or text in generations()


def at_version(text: str, workspace: Workspace, *, where: str | None = None) -> Workspace | None:
    """The workspace at a generation or API version; None for anything that does not look like one.

    Raises UnknownName for a version that does not exist.
    """
    if text in API_VERSIONS:
        return workspace.with_options(api_version=text)
    if text in generations():
        document = document_of(workspace)
        for destination in document["destinations"]:
            destination["generation"] = text
        return parse_workspace(document)
    if _VERSION.fullmatch(text):
        raise unknown("generation or API version", text, [*generations(), *API_VERSIONS], where=where)
    return None
