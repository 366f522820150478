"""What a comparison with the contract finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

BREAKING = "breaking"
DANGEROUS = "dangerous"
SAFE = "safe"
CRITICALITIES = (BREAKING, DANGEROUS, SAFE)

REFUSED: Final = "StackAdapt refuses the whole document: nothing in it happens."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference.

    `kind` names the sort of change, `path` where it is: a schema coordinate (`UpsertProfilesInput.profiles`), a path in
    a definition, or a case. `used_by` are the parts of the destination that it touches, `breaks` what it leads to
    there; both are empty for what the destination does not use.
    """

    criticality: str
    kind: str
    path: str
    message: str
    used_by: tuple[str, ...] = ()
    breaks: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding for machines."""
        return {**asdict(self), "used": bool(self.used_by)}
