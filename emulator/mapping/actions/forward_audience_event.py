"""`forwardAudienceEvent`, titled *Forward Audience Event*: audience entries and exits (3.361.0 and 3.387.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emulator.mapping.actions.document import (
    Document,
    Payload,
    Profile,
    defined,
    escaped_json,
    mapping_field_2024,
    membership,
    mutation,
    profiles_arguments,
    root_field,
)
from emulator.mapping.definition import Definition
from emulator.mapping.javascript import UNDEFINED

_PROFILE_SCHEMA = escaped_json(
    [
        {
            "incoming_key": "userId",
            "destination_key": "external_id",
            "data_type": "string",
            "is_pii": False,
            "label": "External Profile ID",
        }
    ]
)
_AUDIENCE_SCHEMA = escaped_json(
    [
        {"incoming_key": name, "destination_key": destination, "data_type": "string", "label": label}
        for name, destination, label in (
            ("audienceId", "external_id", "External Audience ID"),
            ("audienceName", "name", "External Audience Name"),
        )
    ]
)


def build(payloads: Sequence[Payload], _settings: Mapping[str, str], definition: Definition) -> Document:
    """The document for valid payloads; all go to the advertiser of the first."""
    advertiser, provider = payloads[0]["advertiser_id"], definition.external_provider
    profiles = [_profile(payload) for payload in payloads]
    fields = [
        root_field("upsertProfiles", profiles_arguments(advertiser, provider, profiles)),
        mapping_field_2024("upsertProfileMapping", advertiser, provider, _PROFILE_SCHEMA, trailing_comma=True),
        mapping_field_2024(
            "upsertExternalAudienceMapping", advertiser, provider, _AUDIENCE_SCHEMA, trailing_comma=False
        ),
    ]
    text = mutation(fields, closing_indent=4)
    return Document(text=text, records=tuple(map(defined, profiles)), payloads=tuple(payloads))


def _profile(payload: Payload) -> Profile:
    return {
        "userId": payload.get("user_id", UNDEFINED),
        "audienceId": payload.get("segment_computation_id", UNDEFINED),
        "audienceName": payload["segment_computation_key"],
        "action": membership(payload),
    }
