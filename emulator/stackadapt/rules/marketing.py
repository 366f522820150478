"""A profile's marketing status after a record. Assumed: an opt-out and a suppression survive an import."""

from __future__ import annotations

OPTED_IN = "OPTED_IN"
INDETERMINATE = "INDETERMINATE"
_SETTLED = frozenset({"OPTED_OUT", "SUPPRESSED"})


def status_after(present: str | None, is_opted_in: bool | None) -> str:
    """The status that a record of a mapping with `isOptedIn` leaves; `present` is None for a new profile.

    True raises to OPTED_IN, except from OPTED_OUT and SUPPRESSED. False and absent give a new profile INDETERMINATE and
    leave a known one as it is.
    """
    if present in _SETTLED:
        return str(present)
    if is_opted_in:
        return OPTED_IN
    return present or INDETERMINATE
