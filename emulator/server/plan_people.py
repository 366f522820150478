"""The people of a plan that a file has: rows, calls, or the people of a snapshot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from emulator.clock import Clock
from emulator.errors import InputError, UserMistake
from emulator.harness.plan import CallsOf, people_in_file, people_known
from emulator.server.snapshot import FORMAT, load
from emulator.server.snapshot_workspace import with_secrets
from emulator.server.trial import open_trial
from emulator.text_files import lines_of
from emulator.workspace import Workspace, built_in_workspace

_HINT: Final = "Save it again with this version of the emulator: stackadapt-emulator snapshot save FILE"


def people_in(path: Path, workspaces: Sequence[Workspace]) -> CallsOf:
    """The people in a file: a snapshot, known by its first line, or what `people_in_file` reads.

    Raises InputError with the file and the place.
    """
    header = _header(path)
    return people_in_file(path, workspaces) if header is None else _people_in_snapshot(path, header)


def _header(path: Path) -> dict[str, Any] | None:
    """The first line of a snapshot; None for another file, and for a pipe, which cannot be read twice."""
    if not path.is_file():
        return None
    try:
        found = json.loads(next(lines_of(path), ""))
    except (InputError, ValueError, RecursionError):
        # `people_in_file` says what is wrong with it.
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None


def _saved_workspace(header: dict[str, Any]) -> Workspace:
    """The workspace of a snapshot: its conditions say which memberships were set."""
    try:
        return with_secrets(header.get("configuration"), built_in_workspace())
    except UserMistake:
        # `load` says what is wrong with it.
        return built_in_workspace()


def _people_in_snapshot(path: Path, header: dict[str, Any]) -> CallsOf:
    try:
        # Without a destination, also after loading: what waits in the queue of the snapshot stays there.
        idle = replace(_saved_workspace(header), name=header.get("workspace", ""), destinations=())
        with open_trial(idle, Clock().now()) as services, path.open("rb") as file:
            services.change_workspace = lambda _: None
            load(services, file)
            found = people_known(services, where=path.name)
    except UserMistake as error:
        place = "" if error.where in (None, "snapshot") else f", {error.where}"
        raise InputError(
            error.message, where=f"{path}{place}", found=error.found, allowed=error.allowed, hint=_HINT
        ) from None
    if not found.calls:
        raise InputError("the snapshot has no people", where=str(path))
    return found
