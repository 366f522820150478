"""How one record of `upsertProfiles` is read under the mappings in force.

Only keys that the profile mapping names are kept; others are dropped silently. The control keys `userId`, `audienceId`,
`audienceName` and `action` work without being in it, as the published client relies on. The email is read under the
key that the mapping gives it, else under `email` (assumed: the clients of 2024 never mapped it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulator.stackadapt.rules import reasons
from emulator.stackadapt.rules.builtin_properties import BUILTIN_TYPES
from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL, read_email
from emulator.stackadapt.rules.mapping_columns import MappingColumn
from emulator.stackadapt.rules.texts import is_storable
from emulator.stackadapt.rules.values import KINDS, TEXT, is_read_as_text, read_value

VISIBLE = "visible"
PENDING = "pending"
REJECTED = "rejected"
SUPPRESSED = "suppressed"
QUEUED = "queued"
OUTCOMES = (QUEUED, VISIBLE, PENDING, REJECTED, SUPPRESSED)

_EMAIL = "email"
_EXTERNAL_ID = "external_id"
_NAME = "name"
_ACTIONS = {"enter": True, "exit": False}

RecordWarning = dict[str, str]


@dataclass(frozen=True, slots=True)
class PropertyColumn:
    """A mapping column made ready: `key` is the property's key in the database's spelling (`encoded`).

    `text_key` is the stored key of a text value, if any text will do for this column.
    """

    incoming_key: str
    key: str
    data_type: str
    default: str | None
    choices: frozenset[str]
    text_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMapping:
    """The mappings in force for one advertiser and provider. `mapping_id` is 0 when there is no profile mapping.

    `status` is the marketing status that it brings, `list_id` the profile list that it fills. A record with one of
    `audience_keys` is about an audience.
    """

    mapping_id: int
    status: str
    list_id: int | None
    email_key: str
    external_id_key: str | None
    audience_keys: tuple[str, ...]
    properties: tuple[PropertyColumn, ...]
    maps_audiences: bool
    audience_id_key: str | None
    audience_name_key: str | None


@dataclass(frozen=True, slots=True)
class AudienceChange:
    """A profile enters or leaves an external audience."""

    external_id: str
    name: str
    entered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRecord:
    """What a record says. `email_reason` is a reason code when there is no usable email.

    `properties` are in the form that the database keeps (`tables.py`).
    """

    email: str | None
    email_reason: str | None
    external_id: str | None
    properties: dict[str, Any]
    audience: AudienceChange | None
    about_audience: bool
    warnings: list[RecordWarning]


def encoded(destination_key: str) -> str:
    """A property's key in letters that every database's JSON paths can address."""
    return quote(destination_key, safe="")


def merged(properties: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Stored properties with what a record brings. A property that was read as another kind before loses that value."""
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
    """Makes mappings ready for reading records. `audience_columns` is None when there is no audience mapping.

    Without `control_keys` a record is read by its profile mapping alone, as an uploaded file is (assumed).
    """
    incoming = {column.destination_key: column.incoming_key for column in profile_columns}
    audience = {column.destination_key: column.incoming_key for column in audience_columns or ()}
    return RecordMapping(
        mapping_id=mapping_id,
        status=status,
        list_id=list_id,
        email_key=incoming.get(_EMAIL, _EMAIL),
        external_id_key=incoming.get(_EXTERNAL_ID, "userId" if control_keys else None),
        audience_keys=("action", audience.get(_EXTERNAL_ID, "audienceId")) if control_keys else (),
        properties=tuple(
            _property_column(column)
            for column in profile_columns
            if column.destination_key not in (_EMAIL, _EXTERNAL_ID)
        ),
        maps_audiences=audience_columns is not None,
        audience_id_key=audience.get(_EXTERNAL_ID),
        audience_name_key=audience.get(_NAME),
    )


def _property_column(column: MappingColumn) -> PropertyColumn:
    data_type = BUILTIN_TYPES.get(column.destination_key, column.data_type)
    key = encoded(column.destination_key)
    takes_any_text = is_read_as_text(data_type) and not column.choices
    return PropertyColumn(
        column.incoming_key,
        key,
        data_type,
        column.value,
        frozenset(value for _, value in column.choices),
        f"{TEXT}:{key}" if takes_any_text else None,
    )


def read_record(record: Mapping[str, Any], intake: RecordMapping) -> ParsedRecord:
    """Reads one flat object. What cannot be read becomes a warning; nothing raises."""
    warnings: list[RecordWarning] = []
    email, email_reason = read_email(record.get(intake.email_key))
    external_id = _external_id(record, intake.external_id_key, warnings) if intake.external_id_key else None
    about_audience = any(key in record for key in intake.audience_keys)
    return ParsedRecord(
        email=email,
        email_reason=email_reason,
        external_id=external_id,
        properties=_properties(record, intake, warnings),
        audience=_audience(record, intake, warnings) if about_audience else None,
        about_audience=about_audience,
        warnings=warnings,
    )


def outcome_of(reading: ParsedRecord, *, profile_known: bool, suppressed: bool) -> tuple[str, str | None]:
    """The outcome of a record and its reason code.

    `profile_known`: a profile has the record's external id. `suppressed`: the email was deleted for good.
    """
    if reading.email is not None:
        return (SUPPRESSED, reasons.SUPPRESSED) if suppressed else (VISIBLE, None)
    if reading.email_reason == INVALID_EMAIL:
        return REJECTED, INVALID_EMAIL
    if profile_known:
        return VISIBLE, None
    if reading.about_audience and reading.external_id is not None:
        return PENDING, reasons.WAITS_FOR_PROFILE
    return REJECTED, MISSING_EMAIL


def _external_id(record: Mapping[str, Any], key: str, warnings: list[RecordWarning]) -> str | None:
    value = record.get(key)
    external_id = _identifier(value)
    if external_id is None and value not in (None, ""):
        warnings.append({"code": reasons.UNREADABLE_EXTERNAL_ID, "key": key})
    return external_id


def _identifier(value: Any) -> str | None:
    """An id as text: a non-empty text, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**40 else None
    return value if isinstance(value, str) and value and is_storable(value) else None


def _properties(record: Mapping[str, Any], intake: RecordMapping, warnings: list[RecordWarning]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in intake.properties:
        value = record.get(column.incoming_key)
        if value is None:
            value = column.default
            if value is None:
                continue
        if column.text_key is not None and type(value) is str and is_storable(value):
            # Nearly every value is this; the short way matters for batches of thousands.
            found[column.text_key] = value
            continue
        read = read_value(value, column.data_type, column.choices)
        if read is None:
            warnings.append(
                {"code": reasons.UNREADABLE_VALUE, "key": column.incoming_key, "declared": column.data_type}
            )
        else:
            found[f"{read.kind}:{column.key}"] = read.content
    return found


def _audience(record: Mapping[str, Any], intake: RecordMapping, warnings: list[RecordWarning]) -> AudienceChange | None:
    if not intake.maps_audiences:
        warnings.append({"code": reasons.NO_AUDIENCE_MAPPING, "key": "action"})
        return None
    action = record.get("action")
    entered = _ACTIONS.get(action) if isinstance(action, str) else None
    if entered is None:
        warnings.append({"code": reasons.UNKNOWN_ACTION, "key": "action"})
        return None
    external_id = _identifier(record.get(intake.audience_id_key)) if intake.audience_id_key else None
    name = _identifier(record.get(intake.audience_name_key)) if intake.audience_name_key else None
    if external_id is None and name is None:
        warnings.append({"code": reasons.UNREADABLE_AUDIENCE, "key": intake.audience_id_key or "audienceId"})
        return None
    return AudienceChange(str(external_id or name), str(name or external_id), entered)
