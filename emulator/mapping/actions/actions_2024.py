"""The actions of 3.361.0 and 3.387.0: `forwardProfile` (*Forward Profile*) and `forwardAudienceEvent`.

*Forward Profile* sends the traits of a profile, renamed to camel case. Known defects are kept: month and day of birth
are swapped, any string that V8 parses as a date makes a date column, and payloads without traits are missing from the
request. *Forward Audience Event* sends audience entries and exits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emulator.mapping.actions.columns import AUDIENCE_COLUMNS, InferredTypes
from emulator.mapping.actions.document import (
    Document,
    Payload,
    membership,
    mutation,
    root_field,
    upsert_profiles,
)
from emulator.mapping.actions.profiles_json import Profile, escaped_json
from emulator.mapping.definition import Definition
from emulator.mapping.javascript.camel_case import camel_case
from emulator.mapping.javascript.date_parse import is_date
from emulator.mapping.javascript.values import UNDEFINED, ordered_items, parse_int, to_string, trim, truthy, type_of

_UNDECLARED = frozenset(
    (
        *("userId", "previousId", "email", "firstName", "lastName", "phone", "gender", "company", "marketingStatus"),
        *("address", "city", "state", "country", "postalCode", "timezone", "birthDay", "birthMonth"),
    )
)
_CAPITAL = re.compile("[A-Z]")


def forward_profile(payloads: Sequence[Payload], _settings: Mapping[str, str], definition: Definition) -> Document:
    """The document for valid payloads; all go to the advertiser of the first."""
    profiles = [profile for payload in payloads if (profile := _profile_of_traits(payload)) is not None]
    schema = escaped_json([_column("userId", "external_id", "User Id", "string"), *_columns(payloads)])
    return _document(payloads, profiles, definition, {"upsertProfileMapping": schema})


def _document(
    payloads: Sequence[Payload], profiles: Sequence[Profile], definition: Definition, schemas: Mapping[str, str]
) -> Document:
    """The document with these mappings: root fields with their columns, which are JSON inside a string."""
    advertiser, provider = payloads[0]["advertiser_id"], definition.external_provider
    fields = [upsert_profiles(advertiser, provider, profiles)]
    for name, schema in schemas.items():
        arguments = [f"advertiserId: {advertiser}", f'mappingSchema: "{schema}"', f'mappableType: "{provider}"']
        fields.append(root_field(name, arguments, trailing_comma=name == "upsertProfileMapping"))
    return Document(text=mutation(fields, closing_indent=4), profiles=profiles, payloads=payloads)


def _profile_of_traits(payload: Payload) -> Profile | None:
    """Renamed traits, ids and birthday; None for a payload without traits that is not an alias."""
    is_alias, traits = payload.get("event_type") == "alias", payload.get("traits") or {}
    if not traits and not is_alias:
        return None
    profile = {**dict(_renamed(payload)), "userId": payload.get("user_id", UNDEFINED)}
    if is_alias:
        profile["previousId"] = payload.get("previous_id", UNDEFINED)
    return {**profile, **_birthday(traits.get("birthday"))}


def _renamed(payload: Payload) -> Iterator[tuple[str, Any]]:
    """All traits except the birthday, renamed."""
    for name, value in ordered_items(payload.get("traits") or {}):
        if name != "birthday":
            yield camel_case(name), value


def _birthday(birthday: object) -> dict[str, object]:
    """Day and month of `year-month-day`, swapped; null for a part that is not a number."""
    if not truthy(birthday):
        return {}
    parts = to_string(birthday).split("T")[0].split("-")[1:]
    numbers = [parse_int(part) for part in (*parts, "", "")[:2]]
    return {"birthDay": numbers[0], "birthMonth": numbers[1]}


def _columns(payloads: Iterable[Payload]) -> list[dict[str, object]]:
    """A column for each trait that is not a standard one."""
    types = InferredTypes(text="string", type_of_value=_type_of)
    for payload in payloads:
        for name, value in _renamed(payload):
            if name not in _UNDECLARED:
                types.add(name, value)
    return [_column(name, name, _label(name), type_) for name, type_ in types.items()]


def _type_of(value: object) -> str:
    return "date" if isinstance(value, str) and is_date(value) else type_of(value)


def _label(name: str) -> str:
    label = trim(_CAPITAL.sub(lambda capital: f" {capital.group()}", name))
    label = label[:1].upper() + label[1:]
    return f"External {label}" if name.startswith("audience") else label


def _column(name: str, destination: str, label: str, type_: object) -> dict[str, object]:
    keys = {"incoming_key": name, "destination_key": destination}
    return {**keys, "label": label, "data_type": type_, "is_pii": False}


_PROFILE_KEYS = {"incoming_key": "userId", "destination_key": "external_id"}
_EVENT_SCHEMAS = {
    "upsertProfileMapping": escaped_json(
        [{**_PROFILE_KEYS, "data_type": "string", "is_pii": False, "label": "External Profile ID"}]
    ),
    "upsertExternalAudienceMapping": escaped_json(
        [
            {"incoming_key": name, "destination_key": destination, "data_type": "string", "label": label}
            for name, destination, label in AUDIENCE_COLUMNS
        ]
    ),
}


def forward_audience_event(
    payloads: Sequence[Payload], _settings: Mapping[str, str], definition: Definition
) -> Document:
    """The document for valid payloads; all go to the advertiser of the first."""
    profiles = [
        {
            "userId": payload.get("user_id", UNDEFINED),
            "audienceId": payload.get("segment_computation_id", UNDEFINED),
            "audienceName": payload["segment_computation_key"],
            "action": membership(payload),
        }
        for payload in payloads
    ]
    return _document(payloads, profiles, definition, _EVENT_SCHEMAS)
