"""What a check finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong or risky.

    `place` is the path in the workspace, `severity` is `error` (events cannot arrive as meant) or `warning` (they may
    not). `why` says what it leads to, `mend` what to do.
    """

    code: str
    severity: str
    place: str
    message: str
    why: str
    fix: str

    def as_dict(self) -> dict[str, str]:
        """The finding for machines."""
        return asdict(self)
