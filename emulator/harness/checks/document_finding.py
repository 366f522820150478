"""What `validate` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from emulator.schemas import Mistake, Path, place

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong or risky in a document.

    `severity` is `error` (it does not fit) or `warning` (it fits, and still does not lead to what was meant). `path`
    leads to the place from the top of the document. `why` says what it leads to, `mend` what to do, `reason` is the
    reason code under which StackAdapt refuses it later.
    """

    severity: str
    path: Path
    message: str
    found: object = None
    allowed: str | None = None
    why: str | None = None
    fix: str | None = None
    reason: str | None = None

    @property
    def place(self) -> str:
        """The path as text."""
        return place(self.path)

    def as_dict(self) -> dict[str, Any]:
        """The parts that are known, for machines."""
        parts = {
            "severity": self.severity,
            "path": self.place,
            "message": self.message,
            "found": self.found,
            "allowed": self.allowed,
            "why": self.why,
            "fix": self.fix,
            "reason": self.reason,
        }
        return {key: value for key, value in parts.items() if value is not None}


def of_mistake(mistake: Mistake, *, under: Path = (), causes: Mapping[Path, str] = MappingProxyType({})) -> Finding:
    """What a schema refuses, as a finding. `causes` has what a missing member leads to, by its path."""
    at = mistake.path if mistake.key is None else (*mistake.path, mistake.key)
    return Finding(
        severity=ERROR,
        path=(*under, *mistake.path),
        message=mistake.message,
        found=mistake.found,
        allowed=mistake.allowed,
        why=causes.get(at),
        fix=mistake.hint,
    )
