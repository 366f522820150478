"""The outcomes of a record, and the codes for why it is not a visible profile or what was unusual about it.

The codes are the emulator's own: the real service reports none of this. `contracts/reason-codes.yaml` has the same
table for other tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL

QUEUED = "queued"
VISIBLE = "visible"
PENDING = "pending"
REJECTED = "rejected"
SUPPRESSED = "suppressed"

OUTCOMES: Final[Mapping[str, str]] = {
    QUEUED: "Accepted; the ingestion latency has not passed yet.",
    VISIBLE: "Merged into a profile.",
    PENDING: "Kept until a profile with its external id exists.",
    REJECTED: "Refused permanently.",
    SUPPRESSED: "Dropped because the person was deleted by a compliance request.",
}

SUPPRESSED_PERSON = "SUPPRESSED"
PROFILE_DELETED = "PROFILE_DELETED"
WAITS_FOR_PROFILE = "WAITS_FOR_PROFILE"
INJECTED = "INJECTED"

UNREADABLE_VALUE = "UNREADABLE_VALUE"
UNREADABLE_EXTERNAL_ID = "UNREADABLE_EXTERNAL_ID"
UNREADABLE_AUDIENCE = "UNREADABLE_AUDIENCE"
UNKNOWN_ACTION = "UNKNOWN_ACTION"
NO_AUDIENCE_MAPPING = "NO_AUDIENCE_MAPPING"


class Code(NamedTuple):
    """A reason or warning code. `outcome` is that of a record with this reason, None for a warning."""

    code: str
    outcome: str | None
    meaning: str
    fix: str


REASON_CODES: Final = (
    Code(
        MISSING_EMAIL,
        REJECTED,
        "The record has no email, and its external id belongs to no profile.",
        "Send an email with every profile, under the key that the profile mapping maps to `email`.",
    ),
    Code(
        INVALID_EMAIL,
        REJECTED,
        "The record's email is not a valid address.",
        "Send one plain address of at most 254 characters, neither hashed nor with a display name.",
    ),
    Code(
        SUPPRESSED_PERSON,
        SUPPRESSED,
        "The person was deleted by a compliance request; records about them are dropped permanently.",
        "Stop sending records about this person.",
    ),
    Code(
        PROFILE_DELETED,
        REJECTED,
        "The external id that the record was waiting for was deleted.",
        "Stop sending records about this person, or send a record with an email to create the profile again.",
    ),
    Code(
        WAITS_FOR_PROFILE,
        PENDING,
        "The record has no email and waits for a profile with its external id.",
        "Send a record with both the external id and an email.",
    ),
    Code(INJECTED, REJECTED, "An injected fault rejected the record.", "Remove the fault `partial`."),
)

WARNING_CODES: Final = (
    Code(
        UNREADABLE_VALUE,
        None,
        "A value cannot be read as the type that the mapping declares; the property was not changed.",
        "Send values of the declared type, or declare the property as STRING.",
    ),
    Code(
        UNREADABLE_EXTERNAL_ID,
        None,
        "The external id is neither a string nor an integer; it was ignored.",
        "Send the external id as a string.",
    ),
    Code(
        UNREADABLE_AUDIENCE,
        None,
        "The audience has neither a readable id nor a readable name; the membership was not changed.",
        "Send the audience's id and name under the keys that the external audience mapping names.",
    ),
    Code(
        UNKNOWN_ACTION,
        None,
        "The action is neither `enter` nor `exit`; the membership was not changed.",
        "Send `enter` or `exit` in `action`.",
    ),
    Code(
        NO_AUDIENCE_MAPPING,
        None,
        "No external audience mapping was active; the membership was not changed.",
        "Send upsertExternalAudienceMapping earlier, or in the same document.",
    ),
)

# What each reason code means, as `rejections` and `records` show it.
REASONS: Final[Mapping[str, str]] = {each.code: each.meaning for each in REASON_CODES}
