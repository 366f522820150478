"""The table of checks. A check is a function in a module of this package, registered by the decorator `check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from emulator.errors import EmulatorDefect
from emulator.harness.checks.finding import Finding

# What a check inspects, besides the kinds of document in `kinds.py`: a `SubscriptionContext`, an `event_files.Document`
# before its content is looked at, a `Content` of any kind, and an object of no known kind.
SUBSCRIPTION: Final = "subscription"
FILE: Final = "file"
DOCUMENT: Final = "document"
UNKNOWN: Final = "unknown"

Run: TypeAlias = Callable[[Any], Iterator[Finding]]
_Run = TypeVar("_Run", bound=Run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A function that yields findings, with the code and severity of all of them and a title for the documentation."""

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
                yield replace(finding, code=each.code, severity=each.severity)


def rows() -> list[tuple[str, str, str]]:
    """Code, severity and title of every check, by code."""
    return sorted((each.code, each.severity, each.title) for each in CHECKS.values())
