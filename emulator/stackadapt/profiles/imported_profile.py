"""One profile of an import, read under the rules that records of `upsertProfiles` are read under."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.errors import nearest
from emulator.stackadapt.profiles.file_formats import AUDIENCES, EMAIL, EXTERNAL_IDS, KEYS, MARKETING_STATUS, PROPERTIES
from emulator.stackadapt.rules.emails import read_email
from emulator.stackadapt.rules.marketing import INDETERMINATE, OPTED_IN, status_after
from emulator.stackadapt.rules.reasons import REASONS, UNREADABLE_VALUE
from emulator.stackadapt.rules.records import AudienceChange, ParsedRecord, encoded
from emulator.stackadapt.rules.texts import is_storable
from emulator.stackadapt.rules.values import read_value

_UNREADABLE_LINE = "UNREADABLE_LINE"
_UNDECLARED = "INFERRED"
_LISTED = "STRING_LIST"
# The members of the schema's `MarketingStatus`.
_STATUSES = (OPTED_IN, "OPTED_OUT", INDETERMINATE, "PROSPECT", "SUPPRESSED")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was left out, or which value of it: a code, a sentence, and the key it is about."""

    reason: str
    message: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedProfile:
    """A profile as readings: of its properties, and by provider of its external ids and audiences."""

    reading: ParsedRecord
    marketing_status: str | None
    identities: tuple[tuple[str, ParsedRecord], ...]
    problems: list[Problem] = field(default_factory=list)

    def status_after(self, present: str | None) -> str:
        """The marketing status once this is merged: an opt-out and a suppression stay."""
        kept = status_after(present, None)
        return self.marketing_status if self.marketing_status and kept not in ("OPTED_OUT", "SUPPRESSED") else kept


def read_profile(profile: Mapping[str, Any], types: Mapping[str, str]) -> ImportedProfile | Problem:
    """Reads one object; `types` are the declared types of properties. Values that cannot be read are left out."""
    email, reason = read_email(profile.get(EMAIL))
    if email is None:
        return Problem(str(reason), REASONS[str(reason)], EMAIL)
    unknown = next((key for key in profile if key not in KEYS), None)
    if unknown is not None:
        hint = nearest(unknown, KEYS) or f"Properties stand under {PROPERTIES}."
        return Problem(_UNREADABLE_LINE, f"A profile has no such key. {hint}", unknown)
    status = profile.get(MARKETING_STATUS)
    if status is not None and status not in _STATUSES:
        return Problem(_UNREADABLE_LINE, f"This is none of {', '.join(_STATUSES)}.", MARKETING_STATUS)
    properties = profile.get(PROPERTIES, {})
    if not isinstance(properties, dict):
        return Problem(_UNREADABLE_LINE, "This is not an object.", PROPERTIES)
    for key, needed in ((EXTERNAL_IDS, ("provider", "id")), (AUDIENCES, ("provider", "id", "name"))):
        if not _are_texts(profile.get(key, []), needed):
            return Problem(_UNREADABLE_LINE, f"This is not a list of objects with {', '.join(needed)}.", key)
    problems: list[Problem] = []
    return ImportedProfile(
        reading=_reading(email, properties=dict(_stored(properties, types, problems))),
        marketing_status=status,
        identities=tuple(_identities(email, profile)),
        problems=problems,
    )


def _identities(email: str, profile: Mapping[str, Any]) -> Iterator[tuple[str, ParsedRecord]]:
    for each in profile.get(EXTERNAL_IDS, ()):
        yield each["provider"], _reading(email, external_id=each["id"])
    for each in profile.get(AUDIENCES, ()):
        yield each["provider"], _reading(email, audience=AudienceChange(each["id"], each["name"], True))


def _reading(
    email: str,
    *,
    properties: dict[str, Any] | None = None,
    external_id: str | None = None,
    audience: AudienceChange | None = None,
) -> ParsedRecord:
    return ParsedRecord(
        email=email,
        email_reason=None,
        external_id=external_id,
        properties=properties or {},
        audience=audience,
        about_audience=audience is not None,
        warnings=[],
    )


def _stored(
    properties: Mapping[str, Any], types: Mapping[str, str], problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    for key, value in properties.items():
        if value is None or key == EMAIL:
            continue
        data_type = types.get(key, _UNDECLARED)
        read = read_value(_listed(value) if data_type == _LISTED else value, data_type) if is_storable(key) else None
        if read is None:
            problems.append(Problem(UNREADABLE_VALUE, f"This cannot be read as {data_type}.", key))
        else:
            yield f"{read.kind}:{encoded(key)}", read.content


def _listed(value: Any) -> Any:
    """A list that a CSV cell holds as JSON."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _are_texts(value: Any, keys: tuple[str, ...]) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and each.keys() == set(keys)
        and all(isinstance(text, str) and text and is_storable(text) for text in each.values())
        for each in value
    )
