"""`forwardAudienceEvent`, titled *Sync Audience*: profiles with their audience membership (3.497.0 and later).

The first payload of a batch decides the marketing status and the mode of custom properties for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emulator.mapping.actions.columns import (
    AUDIENCE_COLUMNS_TEXT,
    Column,
    columns_text,
    declared_columns,
    declared_members,
    inferred_columns,
    is_declared,
    without_reserved,
)
from emulator.mapping.actions.document import (
    Document,
    Payload,
    membership,
    mutation,
    root_field,
    upsert_profiles,
)
from emulator.mapping.actions.profiles_json import Profile
from emulator.mapping.definition import Definition
from emulator.mapping.javascript.values import UNDEFINED


def build(payloads: Sequence[Payload], settings: Mapping[str, str], definition: Definition) -> Document:
    """The document for valid payloads."""
    declared = is_declared(payloads[0])
    kept = tuple(payloads) if declared else tuple(without_reserved(payload) for payload in payloads)
    profiles = [_profile(payload, declared=declared) for payload in kept]
    columns = declared_columns(kept[0]) if declared else inferred_columns(kept)
    advertiser, provider = settings["advertiser_id"], definition.external_provider
    fields = {
        "upsertProfiles": upsert_profiles(advertiser, provider, profiles),
        "upsertProfileMapping": _profile_mapping(advertiser, provider, columns, kept[0]["marketing_status"]),
        "upsertExternalAudienceMapping": _audience_mapping(advertiser, provider),
    }
    text = mutation([fields[name] for name in definition.mutations], closing_indent=2)
    return Document(text=text, profiles=profiles, payloads=kept)


def _profile(payload: Payload, *, declared: bool) -> Profile:
    """Custom properties override standard ones, and the audience members override all."""
    return {
        "userId": payload.get("user_id", UNDEFINED),
        "email": payload["email"],
        **(payload.get("standard_traits") or {}),
        **(dict(declared_members(payload)) if declared else payload.get("custom_traits") or {}),
        "audienceId": payload["segment_computation_id"],
        "audienceName": payload["segment_computation_key"],
        "action": membership(payload),
    }


def _profile_mapping(advertiser: str, provider: str, custom: Sequence[Column], marketing_status: str) -> str:
    arguments = [
        f"advertiserId: {advertiser}",
        f"mappingSchemaV2: {columns_text(custom)}",
        f"isOptedIn: {'true' if marketing_status == 'Opted-in' else 'false'}",
        f'mappableType: "{provider}"',
    ]
    return root_field("upsertProfileMapping", arguments)


def _audience_mapping(advertiser: str, provider: str) -> str:
    schema = f"mappingSchema: {AUDIENCE_COLUMNS_TEXT}"
    arguments = [f"advertiserId: {advertiser}", schema, f'mappableType: "{provider}"']
    return root_field("upsertExternalAudienceMapping", arguments, indent=8)
