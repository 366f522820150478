"""What a change of the workspace would do, for tests: the plan of `POST /_emulator/plan`, and expectations of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from emulator.errors import InputError
from emulator.harness.client import Control, Shown, checked
from emulator.harness.expectations.unmet import Unmet
from emulator.harness.plan_checks import CHECKS, Titled, failed, groups_of
from emulator.workspace import Workspace
from emulator.workspace_file import read

if TYPE_CHECKING:
    from collections.abc import Iterable

# A file, the JSON form or the object.
AnyWorkspace: TypeAlias = "str | PathLike[str] | Mapping[str, object] | Workspace"


@checked
class PlannedChange:
    """A plan. `document` is its JSON form (`contracts/plan.schema.json`)."""

    def __init__(self, document: Shown) -> None:
        self.document = document

    @property
    def lost(self) -> int:
        """How many profiles the change loses."""
        return int(self.document["profiles"]["lost"])

    @property
    def gained(self) -> int:
        """How many profiles the change gains."""
        return int(self.document["profiles"]["gained"])

    def failed(self, *checks: str) -> list[str]:
        """Which of the checks of `plan --fail-on` the change does not pass. Raises UnknownName."""
        return failed(self.document, checks)

    def expect_no(self, *checks: str) -> PlannedChange:
        """The change passes these checks of `plan --fail-on`, such as `lost-profiles`.

        Raises Unmet with the cause, examples and what to do; also when neither workspace has a profile, which proves
        nothing. Raises InputError without a check, UnknownName for one that does not exist.
        """
        if not checks:
            raise InputError("there is nothing to expect", where="expect_no", allowed=", ".join(CHECKS))
        found = {name: groups_of(self.document, name) for name in checks}
        if self.document["warning"]:
            raise Unmet(f"expected a change without {', '.join(checks)}; {self.document['warning']}")
        if broken := {name: groups for name, groups in found.items() if groups}:
            lines = [line for groups in broken.values() for line in _lines(groups)]
            raise Unmet("\n".join([f"expected a change without {', '.join(broken)}", *lines]))
        return self


def planned_change(
    control: Control,
    new: AnyWorkspace,
    *,
    old: AnyWorkspace | None,
    people: int | None,
    seed: int | None,
    known: bool,
    advance: str | None,
) -> PlannedChange:
    """The plan of a change to `new`. Raises WorkspaceError and InputError."""
    given = {"old": None if old is None else _document(old), "people": people, "seed": seed, "advance": advance}
    body = {name: value for name, value in given.items() if value is not None}
    return PlannedChange(control.post("plan", {"new": _document(new), "known": known, **body}))


def _document(given: AnyWorkspace) -> Mapping[str, object]:
    if isinstance(given, Workspace):
        from emulator.workspace_document import document_of

        return document_of(given)
    return given if isinstance(given, Mapping) else read(Path(given))


def _lines(groups: Iterable[Titled]) -> Iterator[str]:
    for title, group in groups:
        yield f"{title}: {group['count']:,}"
        yield f"  {group['cause']}"
        yield f"  such as {', '.join(each['email'] for each in group['examples'])}"
        if group["advice"]:
            yield f"  What to do: {group['advice']}"
