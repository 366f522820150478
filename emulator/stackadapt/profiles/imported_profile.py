"""One profile of an import, read under the same rules as records of `upsertProfiles`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator import strict_json
from emulator.errors import nearest
from emulator.stackadapt.profiles.file_formats import AUDIENCES, EMAIL, EXTERNAL_IDS, KEYS, MARKETING_STATUS, PROPERTIES
from emulator.stackadapt.rules.emails import read_email
from emulator.stackadapt.rules.mapping_columns import INFERRED
from emulator.stackadapt.rules.outcomes import REASONS, UNREADABLE_VALUE
from emulator.stackadapt.rules.records import (
    FINAL_STATUSES,
    STATUSES,
    AudienceChange,
    ParsedRecord,
    status_after,
)
from emulator.stackadapt.rules.values import encoded, read_value
from emulator.stored_values import NOT_SHOWN
from emulator.text import is_storable

UNREADABLE_LINE = "UNREADABLE_LINE"
_ITEM_KEYS = {EXTERNAL_IDS: ("provider", "id"), AUDIENCES: ("provider", "id", "name")}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line, or one value of it, was left out: a code, a sentence, and the key."""

    reason: str
    message: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedProfile:
    """A profile as parsed records: one with its properties, one for each external id and audience by provider."""

    record: ParsedRecord
    marketing_status: str | None
    identities: tuple[tuple[str, ParsedRecord], ...]
    problems: list[Problem] = field(default_factory=list)

    def status_after(self, present: str | None) -> str:
        """The marketing status after the import: an opt-out and a suppression remain."""
        kept = status_after(present, None)
        return self.marketing_status if self.marketing_status and kept not in FINAL_STATUSES else kept


def read_profile(profile: Mapping[str, Any], types: Mapping[str, str]) -> ImportedProfile | Problem:
    """Reads one object; `types` are the declared types of properties. Values that cannot be read are left out."""
    email, reason = read_email(profile.get(EMAIL))
    if email is None:
        return Problem(str(reason), REASONS[str(reason)], EMAIL)
    problem = _shape_problem(profile)
    if problem is not None:
        return problem
    problems = list(_notes(profile))
    properties = dict(_stored(profile.get(PROPERTIES, {}), types, problems))
    return ImportedProfile(
        record=ParsedRecord(email=email, properties=properties),
        marketing_status=profile.get(MARKETING_STATUS),
        identities=tuple(_identities(email, profile)),
        problems=problems,
    )


def _shape_problem(profile: Mapping[str, Any]) -> Problem | None:
    unknown = next((key for key in profile if key not in KEYS), None)
    if unknown is not None:
        hint = nearest(unknown, KEYS) or f"Properties belong in {PROPERTIES}."
        return Problem(UNREADABLE_LINE, f"Unknown key {unknown!r}. {hint}", unknown)
    status = profile.get(MARKETING_STATUS)
    if status is not None and status not in STATUSES:
        return Problem(UNREADABLE_LINE, f"The value is none of {', '.join(STATUSES)}.", MARKETING_STATUS)
    if not isinstance(profile.get(PROPERTIES, {}), dict):
        return Problem(UNREADABLE_LINE, "The value is not an object.", PROPERTIES)
    for key, needed in _ITEM_KEYS.items():
        if not _are_items(profile.get(key, []), needed):
            return Problem(UNREADABLE_LINE, f"The value is not an array of objects with {', '.join(needed)}.", key)
    return None


def _notes(profile: Mapping[str, Any]) -> Iterator[Problem]:
    """What the export of a damaged profile left out."""
    if profile.get(NOT_SHOWN):
        yield Problem(UNREADABLE_VALUE, "The export that wrote this line could not read all of the profile.", NOT_SHOWN)


def _identities(email: str, profile: Mapping[str, Any]) -> Iterator[tuple[str, ParsedRecord]]:
    for each in profile.get(EXTERNAL_IDS, ()):
        yield each["provider"], ParsedRecord(email=email, external_id=each["id"])
    for each in profile.get(AUDIENCES, ()):
        change = AudienceChange(each["id"], each["name"], entered=True)
        yield each["provider"], ParsedRecord(email=email, audience=change, about_audience=True)


def _stored(
    properties: Mapping[str, Any], types: Mapping[str, str], problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    for key, value in properties.items():
        if value is None or key == EMAIL:
            continue
        data_type = types.get(key, INFERRED)
        decoded = _decoded_array(value) if data_type == "STRING_LIST" else value
        read = read_value(decoded, data_type) if is_storable(key) else None
        if read is None:
            problems.append(Problem(UNREADABLE_VALUE, f"The value cannot be read as {data_type}.", key))
        else:
            yield f"{read.kind}:{encoded(key)}", read.content


def _decoded_array(value: Any) -> Any:
    """An array that a CSV cell holds as JSON; any other value as it is."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return strict_json.parse(value)
        except (ValueError, RecursionError):
            return value
    return value


def _are_items(value: Any, keys: tuple[str, ...]) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and each.keys() == set(keys)
        and all(isinstance(text, str) and text and is_storable(text) for text in each.values())
        for each in value
    )
