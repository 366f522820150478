"""The one form in which `lint`, `validate` and `drift` report what they find."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from emulator.errors import UserMistake
from emulator.schemas import Mistake

ERROR = "error"
WARNING = "warning"
UNREADABLE = "unreadable"
# The severities of `drift`, worst first.
BREAKING = "breaking"
DANGEROUS = "dangerous"
SAFE = "safe"
CHANGES = (BREAKING, DANGEROUS, SAFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem, or one difference from the contract.

    `message`, `why` (the consequence) and `fix` are full sentences. `place` is a path in the workspace, document or
    contract. `drift` sets `used_by`: the parts of the destination that use what changed. A check leaves out `code` and
    `severity`; the registry adds them.
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

    def as_dict(self) -> dict[str, Any]:
        """The fields that have a value, for JSON output."""
        return {key: value for key, value in asdict(self).items() if value is not None}


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
