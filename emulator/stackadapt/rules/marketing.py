"""A profile's marketing status after a record. Assumed: an opt-out and a suppression survive an import."""

from __future__ import annotations

OPTED_IN = "OPTED_IN"
INDETERMINATE = "INDETERMINATE"
_SETTLED = frozenset({"OPTED_OUT", "SUPPRESSED"})


def brought_by(is_opted_in: bool | None) -> str:
    """The status that a mapping with this `isOptedIn` brings."""
    return OPTED_IN if is_opted_in else INDETERMINATE


def status_after(present: str | None, brought: str | None) -> str:
    """The status that a record leaves; `present` is None for a new profile, `brought` for a record that brings none.

    OPTED_IN raises, except from OPTED_OUT and SUPPRESSED. PROSPECT, INDETERMINATE and none count for new profiles and
    leave a known one as it is.
    """
    if present in _SETTLED:
        return str(present)
    if brought == OPTED_IN:
        return OPTED_IN
    return present or brought or INDETERMINATE
