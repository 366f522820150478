"""The one form in which `lint`, `validate` and `drift` report what they find, and the table of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from emulator.errors import EmulatorDefect, UserMistake
from emulator.schemas import Mistake

ERROR = "error"
WARNING = "warning"
# What the user did not write, or may have meant, and need not change: it never counts as a warning.
NOTE = "note"
UNREADABLE = "unreadable"
# The code of what keeps an emulator from starting.
REFUSED = "W001"
# The severities of `drift`, worst first.
BREAKING = "breaking"
DANGEROUS = "dangerous"
SAFE = "safe"
CHANGES = (BREAKING, DANGEROUS, SAFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem, or one difference from the contract.

    `message`, `why` (the consequence) and `fix` are full sentences. `place` is a path in the workspace, document or
    contract. `drift` sets `used_by`: the parts of the destination that use what changed. `repair` is the fix as data
    where one change of the subscription is known to help: another `trigger`, or in `mapping` new values of whole
    fields, null for one to remove. `alternatives` are such repairs where only the user knows which one is meant: each
    sets one field to a fixed value. A check leaves out `code`, and `severity` unless it depends on the rest of the
    workspace; `findings_in` adds them.
    """

    code: str = ""
    severity: str = ""
    place: str
    message: str
    found: object = None
    allowed: str | None = None
    why: str | None = None
    fix: str | None = None
    used_by: tuple[str, ...] | None = None
    repair: Mapping[str, Any] | None = None
    alternatives: tuple[Mapping[str, Any], ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields that have a value, for JSON output."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def change(
    severity: str, code: str, place: str, message: str, why: str | None, used_by: tuple[str, ...] = ()
) -> Finding:
    """The finding for a difference from the contract."""
    return Finding(code=code, severity=severity, place=place, message=message, why=why, used_by=used_by)


def of_mistake(mistake: Mistake | UserMistake, place: str, *, why: str | None = None) -> Finding:
    """The finding for a schema mistake or an error, whose message is a clause."""
    return Finding(
        place=place,
        message=sentence(mistake.message),
        found=mistake.found,
        allowed=mistake.allowed,
        why=why,
        fix=mistake.hint,
    )


def sentence(clause: str) -> str:
    """The clause with a full stop, and with a capital letter unless it starts with a path or another identifier."""
    first, separator, rest = clause.partition(" ")
    text = f"{first.capitalize()}{separator}{rest}" if first.isalpha() and first.islower() else clause
    return text if text.endswith((".", "?", "!")) else f"{text}."


# What a check inspects, besides the kinds of `document_kinds.py`: a `Workspace` that was read, a `SubscriptionContext`,
# an `event_files.Document` before its content is looked at, a `Content` of any kind, and an object of no known kind.
WORKSPACE: Final = "whole workspace"
SUBSCRIPTION: Final = "subscription"
FILE: Final = "file"
DOCUMENT: Final = "document"
UNKNOWN: Final = "unknown"

Run: TypeAlias = Callable[[Any], Iterator[Finding]]
_Run = TypeVar("_Run", bound=Run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A function that yields findings, with the code and usual severity and a title for the documentation."""

    code: str
    severity: str
    title: str
    subjects: tuple[str, ...]
    run: Run


CHECKS: Final[dict[str, Check]] = {}


def check(code: str, severity: str, title: str, *subjects: str) -> Callable[[_Run], _Run]:
    """Registers a function as the check with this code, to be run on these kinds of subject."""

    def register(run: _Run) -> _Run:
        if code in CHECKS:
            raise EmulatorDefect("two checks have the same code", found=code)
        CHECKS[code] = Check(code=code, severity=severity, title=title, subjects=subjects, run=run)
        return run

    return register


def findings_in(kind: str, subject: object) -> Iterator[Finding]:
    """What all checks for this kind of subject find in one."""
    for each in CHECKS.values():
        if kind in each.subjects:
            for finding in each.run(subject):
                yield replace(finding, code=each.code, severity=finding.severity or each.severity)


def rows() -> list[tuple[str, str, str]]:
    """Code, severity and title of every check, by code."""
    return sorted((each.code, each.severity, each.title) for each in CHECKS.values())
