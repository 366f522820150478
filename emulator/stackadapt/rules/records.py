"""How one record of `upsertProfiles` is read under the active mappings, and its outcome.

Only keys that the profile mapping names are kept; others are dropped with a warning. The control keys `userId`,
`audienceId`, `audienceName` and `action` work without being mapped, as the published client relies on. The email is
read under the key that the mapping gives it, else under `email` (assumed: the clients of 2024 never mapped it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL, read_email
from emulator.stackadapt.rules.mapping_columns import BUILTIN_TYPES, EMAIL, EXTERNAL_ID, MappingColumn
from emulator.stackadapt.rules.outcomes import (
    EXTERNAL_ID_KEPT,
    EXTERNAL_ID_MOVED,
    EXTERNAL_ID_SHARED,
    NO_AUDIENCE_MAPPING,
    PENDING,
    REJECTED,
    STATUS_KEPT,
    SUPPRESSED,
    SUPPRESSED_PERSON,
    UNKNOWN_ACTION,
    UNREADABLE_AUDIENCE,
    UNREADABLE_EXTERNAL_ID,
    UNREADABLE_VALUE,
    VISIBLE,
    WAITS_FOR_PROFILE,
)
from emulator.stackadapt.rules.values import KINDS, TEXT, encoded, is_read_as_text, read_value
from emulator.text import is_storable

# Marketing statuses. Assumed: an opt-out and a suppression survive an import.
OPTED_IN = "OPTED_IN"
INDETERMINATE = "INDETERMINATE"
FINAL_STATUSES = frozenset({"OPTED_OUT", "SUPPRESSED"})
# The values of the schema's enum `MarketingStatus`.
STATUSES = (OPTED_IN, "OPTED_OUT", INDETERMINATE, "PROSPECT", "SUPPRESSED")

_NAME = "name"
_ACTIONS = {"enter": True, "exit": False}

RecordWarning = dict[str, str]


# Which profile has an external id that comes with two emails: the newest, the first, or both.
MOVE, FIRST, BOTH = "move", "first", "both"
_SHARED: Mapping[str, str] = {MOVE: EXTERNAL_ID_MOVED, FIRST: EXTERNAL_ID_KEPT, BOTH: EXTERNAL_ID_SHARED}


@dataclass(frozen=True, slots=True)
class PropertyColumn:
    """A mapping column prepared for reading: `key` is the property's encoded key."""

    key: str
    data_type: str
    default: str | None
    choices: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMapping:
    """The mappings under which records are read. `mapping_id` is 0 when there is no profile mapping.

    `status` is the marketing status that it sets, `list_id` the profile list that it fills. A record with one of
    `audience_keys` concerns an audience. A key outside `read_keys` is dropped. `properties` has for each column the
    incoming key and the stored key of text, if the column accepts any text.
    """

    mapping_id: int
    status: str
    list_id: int | None
    email_key: str
    external_id_key: str | None
    audience_keys: tuple[str, ...]
    properties: tuple[tuple[str, str | None, PropertyColumn], ...]
    maps_audiences: bool
    audience_id_key: str | None
    audience_name_key: str | None
    read_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class AudienceChange:
    """A profile enters or leaves an external audience."""

    external_id: str
    name: str
    entered: bool


@dataclass(slots=True, kw_only=True)
class ParsedRecord:
    """The contents of a record. `email_reason` is a reason code when there is no usable email.

    `properties` are in the stored form (`tables.py`). `unmapped` are keys that no mapping names, in the record's order.
    Not frozen, because a batch makes thousands, in half the time.
    """

    email: str | None
    email_reason: str | None = None
    external_id: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    audience: AudienceChange | None = None
    about_audience: bool = False
    warnings: list[RecordWarning] = field(default_factory=list)
    unmapped: tuple[str, ...] = ()


def status_brought_by(is_opted_in: bool | None) -> str:
    """The marketing status that a mapping with this `isOptedIn` sets."""
    return OPTED_IN if is_opted_in else INDETERMINATE


def status_after(present: str | None, brought: str | None) -> str:
    """The status after a record; `present` is None for a new profile, `brought` for a record that sets none.

    OPTED_IN replaces every status except OPTED_OUT and SUPPRESSED. PROSPECT, INDETERMINATE and None apply to new
    profiles only.
    """
    if present in FINAL_STATUSES:
        return str(present)
    if brought == OPTED_IN:
        return OPTED_IN
    return present or brought or INDETERMINATE


def conflicts(
    record: ParsedRecord, mapping: RecordMapping, *, owner: str | None, present: str | None, shared: str = MOVE
) -> list[RecordWarning]:
    """Warnings about what a visible record takes from another profile, or does not change in its own.

    `owner` is the email of the profile that had the record's external id, `present` the marketing status of the
    record's profile, before the record; `shared` decides to which of the two the external id belongs afterwards.
    """
    warnings: list[RecordWarning] = []
    if mapping.external_id_key and owner is not None and record.email not in (None, owner):
        warnings.append({"code": _SHARED[shared], "key": mapping.external_id_key, "from": owner})
    if mapping.status == OPTED_IN and present in FINAL_STATUSES:
        warnings.append({"code": STATUS_KEPT, "key": "marketing_status", "status": str(present)})
    return warnings


def merged(properties: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Stored properties merged with a record's. A property that had another kind loses its former value."""
    if not properties:
        return dict(more)
    result = dict(properties)
    for stored, content in more.items():
        if stored not in result:
            key = stored.partition(":")[2]
            for kind in KINDS:
                result.pop(f"{kind}:{key}", None)
        result[stored] = content
    return result


def record_mapping_of(
    profile_columns: Sequence[MappingColumn],
    audience_columns: Sequence[MappingColumn] | None,
    *,
    mapping_id: int,
    status: str,
    list_id: int | None = None,
    control_keys: bool = True,
) -> RecordMapping:
    """Prepares mappings for reading records. `audience_columns` is None when there is no audience mapping.

    Without `control_keys` a record is read by its profile mapping alone, as uploads are (assumed).
    """
    incoming = {column.destination_key: column.incoming_key for column in profile_columns}
    audience = {column.destination_key: column.incoming_key for column in audience_columns or ()}
    return RecordMapping(
        mapping_id=mapping_id,
        status=status,
        list_id=list_id,
        email_key=incoming.get(EMAIL, EMAIL),
        external_id_key=incoming.get(EXTERNAL_ID, "userId" if control_keys else None),
        audience_keys=(
            ("action", audience.get(EXTERNAL_ID, "audienceId"), audience.get(_NAME, "audienceName"))
            if control_keys
            else ()
        ),
        properties=tuple(
            (column.incoming_key, _text_key(column), _property_column(column))
            for column in profile_columns
            if column.destination_key not in (EMAIL, EXTERNAL_ID)
        ),
        maps_audiences=audience_columns is not None,
        audience_id_key=audience.get(EXTERNAL_ID),
        audience_name_key=audience.get(_NAME),
        read_keys=_read_keys(profile_columns, audience_columns, control_keys=control_keys),
    )


def _read_keys(
    profile_columns: Sequence[MappingColumn], audience_columns: Sequence[MappingColumn] | None, *, control_keys: bool
) -> frozenset[str]:
    """The keys that the mappings name, and the control keys where no column replaces them."""
    columns = (*profile_columns, *(audience_columns or ()))
    filled = {column.destination_key for column in profile_columns}
    implied = {EMAIL} if EMAIL not in filled else set()
    if control_keys:
        implied.add("action")
        if EXTERNAL_ID not in filled:
            implied.add("userId")
        if audience_columns is None:
            # The warning about the missing audience mapping covers them.
            implied |= {"audienceId", "audienceName"}
    return frozenset(column.incoming_key for column in columns) | implied


def _property_column(column: MappingColumn) -> PropertyColumn:
    data_type = BUILTIN_TYPES.get(column.destination_key, column.data_type)
    key = encoded(column.destination_key)
    return PropertyColumn(key, data_type, column.value, frozenset(value for _, value in column.choices))


def _text_key(column: MappingColumn) -> str | None:
    """The stored key for text values, if the column accepts any text."""
    data_type = BUILTIN_TYPES.get(column.destination_key, column.data_type)
    return f"{TEXT}:{encoded(column.destination_key)}" if is_read_as_text(data_type) and not column.choices else None


def read_record(record: Mapping[str, Any], mapping: RecordMapping) -> ParsedRecord:
    """Reads one flat object. What cannot be read becomes a warning; nothing raises."""
    warnings: list[RecordWarning] = []
    email, email_reason = read_email(record.get(mapping.email_key))
    about_audience = not record.keys().isdisjoint(mapping.audience_keys)
    return ParsedRecord(
        email=email,
        email_reason=email_reason,
        external_id=_external_id(record, mapping.external_id_key, warnings),
        properties=_properties(record, mapping, warnings),
        audience=_audience(record, mapping, warnings) if about_audience else None,
        about_audience=about_audience,
        warnings=warnings,
        # Nearly every record has mapped keys only, which this comparison finds fastest.
        unmapped=() if record.keys() <= mapping.read_keys else _unmapped(record, mapping),
    )


def _unmapped(record: Mapping[str, Any], mapping: RecordMapping) -> tuple[str, ...]:
    return tuple(key for key in record if key not in mapping.read_keys)


def outcome_of(record: ParsedRecord, *, profile_known: bool, suppressed: bool, waits: bool) -> tuple[str, str | None]:
    """The outcome of a record and its reason code.

    `profile_known`: a profile has the record's external id. `suppressed`: the email was deleted permanently. `waits`:
    a record about an audience without an email waits for a profile with its external id.
    """
    if record.email is not None:
        return (SUPPRESSED, SUPPRESSED_PERSON) if suppressed else (VISIBLE, None)
    if record.email_reason == INVALID_EMAIL:
        return REJECTED, INVALID_EMAIL
    if profile_known:
        return VISIBLE, None
    if waits and record.about_audience and record.external_id is not None:
        return PENDING, WAITS_FOR_PROFILE
    return REJECTED, MISSING_EMAIL


def _external_id(record: Mapping[str, Any], key: str | None, warnings: list[RecordWarning]) -> str | None:
    value = record.get(key) if key else None
    external_id = _identifier(value)
    if key and external_id is None and value not in (None, ""):
        warnings.append({"code": UNREADABLE_EXTERNAL_ID, "key": key})
    return external_id


def _identifier(value: Any) -> str | None:
    """An id as a string, from a non-empty string or an integer."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**40 else None
    return value if isinstance(value, str) and value and is_storable(value) else None


def _properties(record: Mapping[str, Any], mapping: RecordMapping, warnings: list[RecordWarning]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for incoming_key, text_key, column in mapping.properties:
        value = record.get(incoming_key)
        # Nearly every value is a plain string; this shortcut matters for batches of thousands.
        if text_key is not None and type(value) is str and value.isascii() and "\x00" not in value:
            found[text_key] = value
            continue
        if value is None:
            value = column.default
            if value is None:
                continue
        read = read_value(value, column.data_type, column.choices)
        if read is None:
            warnings.append({"code": UNREADABLE_VALUE, "key": incoming_key, "declared": column.data_type})
        else:
            found[f"{read.kind}:{column.key}"] = read.content
    return found


def _audience(
    record: Mapping[str, Any], mapping: RecordMapping, warnings: list[RecordWarning]
) -> AudienceChange | None:
    if not mapping.maps_audiences:
        warnings.append({"code": NO_AUDIENCE_MAPPING, "key": "action"})
        return None
    action = record.get("action")
    entered = _ACTIONS.get(action) if isinstance(action, str) else None
    if entered is None:
        warnings.append({"code": UNKNOWN_ACTION, "key": "action"})
        return None
    external_id = _identifier(record.get(mapping.audience_id_key)) if mapping.audience_id_key else None
    name = _identifier(record.get(mapping.audience_name_key)) if mapping.audience_name_key else None
    if external_id is None and name is None:
        warnings.append({"code": UNREADABLE_AUDIENCE, "key": mapping.audience_id_key or "audienceId"})
        return None
    return _change(str(external_id or name), str(name or external_id), entered)


# The records of a batch are about few audiences.
@lru_cache(maxsize=256)
def _change(external_id: str, name: str, entered: bool) -> AudienceChange:
    return AudienceChange(external_id, name, entered)
