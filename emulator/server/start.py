"""Which workspace an emulator starts with: the one stored with its data, or the one that it is given.

Stored data keeps the workspace that belongs to it, with every change at run time. A given one is used where nothing is
stored, or on request; where it is the one of an earlier start, the stored one goes on from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emulator.errors import UserMistake, WorkspaceError
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.registry import Current, Registry, same
from emulator.server.stores import Stores
from emulator.workspace import Workspace, built_in_workspace, parse_workspace

_REPLACE: Final = "--replace-workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an emulator is started with: a workspace, if any, and options that replace what any workspace says.

    `replace`: use it although another one is stored.
    """

    workspace: Workspace | None = None
    replace: bool = False
    latency: str | None = None
    api_version: str | None = None

    def adjusted(self, workspace: Workspace) -> Workspace:
        """The workspace with the options. Raises InputError."""
        return workspace.with_options(latency=self.latency, api_version=self.api_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The workspace of the default sandbox, and the one that sandboxes without their own have.

    `replaced`: another one was stored. `notice` is a sentence for the user, if the given one is not what is used.
    """

    workspace: Workspace
    template: Workspace
    revision: int = 0
    replaced: bool = False
    notice: str | None = None


def start_of(given: Given, stores: Stores) -> Start:
    """Decides, and stores what is new. Raises UserMistake when another workspace than the given one is stored."""
    if not stores.kept:
        workspace = given.adjusted(given.workspace or built_in_workspace())
        return Start(workspace=workspace, template=workspace)
    store = stores.open(DEFAULT_SANDBOX)
    try:
        registry = Registry(store)
        while True:
            stored = registry.current(DEFAULT_SANDBOX)
            start = _continued(given, stored) if stored and not _replaces(given, stored) else None
            if start is not None:
                return start
            workspace = given.workspace or built_in_workspace()
            revision = stored.revision if stored else -1
            if registry.save(DEFAULT_SANDBOX, workspace, after=revision, started_with=workspace):
                adjusted = given.adjusted(workspace)
                return Start(workspace=adjusted, template=adjusted, revision=revision + 1, replaced=stored is not None)
    finally:
        store.close()


def _replaces(given: Given, stored: Current) -> bool:
    if not given.replace or given.workspace is None:
        return False
    try:
        return not same(given.workspace, stored.workspace)
    except UserMistake:
        # It need not be valid to be replaced.
        return True


def _continued(given: Given, stored: Current) -> Start:
    """The start with what is stored."""
    try:
        workspace = parse_workspace(stored.workspace)
        first = workspace if stored.started_with is None else parse_workspace(stored.started_with)
    except UserMistake as error:
        raise WorkspaceError(
            f"the workspace stored with the data is no longer valid: {error}",
            hint=f"Start with --workspace FILE {_REPLACE}.",
        ) from None
    notice = None
    if given.workspace is not None and not same(given.workspace, workspace):
        if not same(given.workspace, first):
            raise UserMistake(
                "the data belongs to another workspace",
                where="--workspace",
                found=given.workspace.name,
                allowed="the one stored with the data",
                hint=f"Leave out --workspace to go on with it, or add {_REPLACE}.",
            )
        notice = f"The workspace was changed at run time; that one is used. {_REPLACE} goes back to the given one."
    elif given.workspace is None and not same(built_in_workspace(), workspace):
        notice = "The workspace stored with the data is used."
    return Start(
        workspace=given.adjusted(workspace), template=given.adjusted(first), revision=stored.revision, notice=notice
    )
