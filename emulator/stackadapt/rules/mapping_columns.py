"""The columns of a mapping, as the mutations of all API versions send them, and the built-in properties.

API version 2026-06 takes typed objects (`incomingKey`, `destinationKey`, `label`, `type`, `isPii`); the clients of
late 2024 sent a JSON string with `incoming_key`, `destination_key`, `label`, `data_type` (or `type`) and `is_pii`. The
output field `mappingSchema` has the latter keys (assumed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator import strict_json
from emulator.text import is_storable

INFERRED = "INFERRED"
EMAIL = "email"
EXTERNAL_ID = "external_id"


class MalformedMapping(ValueError):
    """A mapping that cannot be read; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingColumn:
    """One incoming key, the property it fills, and the type by which its values are read.

    `value` is what the property gets when a record lacks the key; `choices` are an ENUMERATION's labels and values.
    """

    incoming_key: str
    destination_key: str
    label: str
    data_type: str
    is_pii: bool = False
    value: str | None = None
    choices: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, in the output field `mappingSchema` and in the database."""
        column: dict[str, Any] = {
            "incoming_key": self.incoming_key,
            "destination_key": self.destination_key,
            "label": self.label,
            "data_type": self.data_type,
            "is_pii": self.is_pii,
        }
        if self.value is not None:
            column["value"] = self.value
        if self.choices:
            column["options"] = [{"label": label, "value": value} for label, value in self.choices]
        return column


def _builtin(key: str, label: str, *, is_pii: bool, data_type: str = "STRING") -> MappingColumn:
    return MappingColumn(incoming_key=key, destination_key=key, label=label, data_type=data_type, is_pii=is_pii)


# The properties that every advertiser has, which the service calls global. Keys and personal-data flags are those of
# the columns that the published client always sends.
BUILTIN_PROPERTIES: Final = (
    _builtin(EMAIL, "Email", is_pii=True),
    _builtin("first_name", "First Name", is_pii=True),
    _builtin("last_name", "Last Name", is_pii=True),
    _builtin("phone", "Phone", is_pii=True),
    _builtin("address", "Address", is_pii=True),
    _builtin("city", "City", is_pii=False),
    _builtin("state", "State", is_pii=False),
    _builtin("country", "Country", is_pii=False),
    _builtin("postal_code", "Postal Code", is_pii=False),
    _builtin("timezone", "Timezone", is_pii=False),
    _builtin("birth_date", "Birth Date", is_pii=True, data_type="DATE"),
)

# A column that fills a built-in property is read as that property's type, whatever it declares.
BUILTIN_TYPES: Final[Mapping[str, str]] = {column.destination_key: column.data_type for column in BUILTIN_PROPERTIES}


def column_of(stored: Mapping[str, Any]) -> MappingColumn:
    """The column whose `as_dict` was stored."""
    fields = {key: value for key, value in stored.items() if key != "options"}
    choices = tuple((choice["label"], choice["value"]) for choice in stored.get("options", ()))
    return MappingColumn(**fields, choices=choices)


def columns_of_input(entries: Sequence[Mapping[str, Any]]) -> list[MappingColumn]:
    """Columns from `[MappingSchema!]`. Raises MalformedMapping for text that cannot be stored."""
    return _checked(
        [
            MappingColumn(
                incoming_key=entry["incomingKey"],
                destination_key=entry["destinationKey"],
                label=entry["label"],
                data_type=entry["type"],
                is_pii=entry["isPii"],
                value=entry.get("value"),
                choices=tuple((choice["label"], choice["value"]) for choice in entry.get("options") or ()),
            )
            for entry in entries
        ]
    )


def columns_of_text(text: str, known_types: frozenset[str]) -> list[MappingColumn]:
    """Columns from the JSON string of the 2024 API version. Raises MalformedMapping.

    A `data_type` outside the enum `ProfilePropertyData` (clients sent `object`) is read as INFERRED.
    """
    try:
        entries = strict_json.parse_rewritten(text)
    except (ValueError, RecursionError):
        raise MalformedMapping("it is not JSON.") from None
    if not isinstance(entries, list):
        raise MalformedMapping("it is not an array of columns.")
    return _checked([_column_of_json(entry, f"column {index}", known_types) for index, entry in enumerate(entries)])


def _column_of_json(entry: Any, place: str, known_types: frozenset[str]) -> MappingColumn:
    if not isinstance(entry, dict):
        raise MalformedMapping(f"{place} is not an object.")
    for key in ("incoming_key", "destination_key"):
        if not isinstance(entry.get(key), str):
            raise MalformedMapping(f"{place} has no {key}.")
    declared = str(entry.get("data_type") or entry.get("type") or "").upper()
    label = entry.get("label")
    return MappingColumn(
        incoming_key=entry["incoming_key"],
        destination_key=entry["destination_key"],
        label=label if isinstance(label, str) else entry["destination_key"],
        data_type=declared if declared in known_types else INFERRED,
        is_pii=entry.get("is_pii") is True,
    )


def _checked(columns: list[MappingColumn]) -> list[MappingColumn]:
    for index, column in enumerate(columns):
        if not all(map(is_storable, (column.incoming_key, column.destination_key, column.label, column.value or ""))):
            raise MalformedMapping(f"column {index} contains a character that cannot be stored.")
    return columns


def appended(columns: Sequence[MappingColumn], more: Sequence[MappingColumn]) -> list[MappingColumn]:
    """The columns with more of them; a new column replaces one with the same destination."""
    merged = {column.destination_key: column for column in columns}
    merged.update({column.destination_key: column for column in more})
    return list(merged.values())
