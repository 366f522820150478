"""The outcomes of a record, and the codes for why it is not a visible profile or what was unusual about it.

The codes are the emulator's own: the real service reports none of this. What each means is in
`contracts/reason-codes.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.artefacts import contract_text
from emulator.yaml_files import load_yaml

QUEUED = "queued"
VISIBLE = "visible"
PENDING = "pending"
REJECTED = "rejected"
SUPPRESSED = "suppressed"

SUPPRESSED_PERSON = "SUPPRESSED"
PROFILE_DELETED = "PROFILE_DELETED"
WAITS_FOR_PROFILE = "WAITS_FOR_PROFILE"
INJECTED = "INJECTED"

UNREADABLE_VALUE = "UNREADABLE_VALUE"
UNREADABLE_EXTERNAL_ID = "UNREADABLE_EXTERNAL_ID"
UNREADABLE_AUDIENCE = "UNREADABLE_AUDIENCE"
UNKNOWN_ACTION = "UNKNOWN_ACTION"
NO_AUDIENCE_MAPPING = "NO_AUDIENCE_MAPPING"
UNMAPPED_KEY = "UNMAPPED_KEY"
EXTERNAL_ID_MOVED = "EXTERNAL_ID_MOVED"
EXTERNAL_ID_KEPT = "EXTERNAL_ID_KEPT"
EXTERNAL_ID_SHARED = "EXTERNAL_ID_SHARED"
STATUS_KEPT = "STATUS_KEPT"

_TABLE: Final[Mapping[str, Any]] = load_yaml(contract_text("reason-codes.yaml"))
# What each outcome means.
OUTCOMES: Final[Mapping[str, str]] = _TABLE["outcomes"]
# What each reason code means, as `rejections` and `records` show it.
REASONS: Final[Mapping[str, str]] = {each["code"]: each["meaning"] for each in _TABLE["reasons"]}
