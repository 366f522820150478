"""Why a record did not become a visible profile, and what was odd about one that did.

The codes are the emulator's own: the service reports none of this. `contracts/reason-codes.yaml` explains each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL

SUPPRESSED = "SUPPRESSED"
PROFILE_DELETED = "PROFILE_DELETED"
WAITS_FOR_PROFILE = "WAITS_FOR_PROFILE"
INJECTED = "INJECTED"

UNREADABLE_VALUE = "UNREADABLE_VALUE"
UNREADABLE_EXTERNAL_ID = "UNREADABLE_EXTERNAL_ID"
UNREADABLE_AUDIENCE = "UNREADABLE_AUDIENCE"
UNKNOWN_ACTION = "UNKNOWN_ACTION"
NO_AUDIENCE_MAPPING = "NO_AUDIENCE_MAPPING"

REASONS: Final[Mapping[str, str]] = {
    MISSING_EMAIL: "The record has no email and no external id that leads to a profile.",
    INVALID_EMAIL: "The record's email is not a valid address.",
    SUPPRESSED: "The person was deleted on a compliance request and is never taken in again.",
    PROFILE_DELETED: "The external id that the record waited for was deleted.",
    WAITS_FOR_PROFILE: "The record has no email; it waits for a profile with its external id.",
    INJECTED: "A fault of the emulator refused the record.",
}

WARNINGS: Final[Mapping[str, str]] = {
    UNREADABLE_VALUE: "A value cannot be read as the type that the mapping declares; the property was left as it was.",
    UNREADABLE_EXTERNAL_ID: "The external id is not a text or a whole number; it was left out.",
    UNREADABLE_AUDIENCE: "The audience has neither a readable id nor a readable name; membership was left as it was.",
    UNKNOWN_ACTION: "The action is neither enter nor exit; membership was left as it was.",
    NO_AUDIENCE_MAPPING: "No external audience mapping was in force; membership was left as it was.",
}
