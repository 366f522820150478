"""Why a visible profile lacks a property: followed from the trait in Engage to the mapping in StackAdapt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.errors import InputError
from emulator.harness.why.answer import PROPERTY, Stop
from emulator.harness.why.evidence import Evidence, Shown
from emulator.harness.why.unread_traits import REASONS, removed, unread

# How far the property came, other reasons last.
_STEPS = ("NO_TRAIT", "NOT_SENT_BY_ENGAGE", *REASONS)

_CONSENT = frozenset({"consent", "isOptedIn", "marketing_status", "marketingStatus"})

# The traits that the published default mapping reads for properties of another name.
TRAIT_OF = {"birth_date": "birthday", "address": "street"}


def property_stop(evidence: Evidence) -> Stop | None:
    """Where the property of the question got lost; None when every profile of the person has it.

    Raises InputError for the consent, which profiles have beside their properties.
    """
    key = str(evidence.question.property)
    lacking = [each for each in evidence.profiles if key not in each["properties"]]
    if len(lacking) < len(evidence.profiles):
        return None
    record = next((each for each in reversed(evidence.records) if key in each["record"]), None)
    if record is not None:
        return _of_record(record, key)
    trait = TRAIT_OF.get(key, key)
    known = next((each for each in evidence.space if trait in each["traits"]), None)
    if key in _CONSENT and known is None:
        hint = "The profile's line in the answer has it; the mapping's marketing_status sets it."
        raise InputError("the consent is no property", where="property", found=key, hint=hint)
    if not evidence.space and not evidence.deliveries:
        return _stop("NOT_IN_RECORD", f"no record about this person has the key {key!r}", "Send it with the record.")
    if (stop := _unread(evidence, key, trait)) is not None:
        return stop
    if known is not None:
        if (stop := _removed(evidence, trait, known["traits"][trait])) is not None:
            return stop
        return _stop(
            "NOT_SENT_BY_ENGAGE",
            f"the profile in Engage has the trait {trait!r}, and the audience's connection does not send it",
            f"Add {trait!r} to the traits of the connected audience.",
            found=f"{trait}: {_json(known['traits'][trait])}",
        )
    traits = sorted({name for each in evidence.space for name in each["traits"]})
    return _stop(
        "NO_TRAIT",
        f"no identify call about this person set the trait {trait!r}",
        f"Send {trait!r} as a trait of identify.",
        found=f"traits {', '.join(traits)}" if traits else "no traits",
    )


def _unread(evidence: Evidence, key: str, trait: str) -> Stop | None:
    """The stop at a mapping whose event had the trait: of several, the one that came furthest."""
    newest = {
        (each["destination"], each["subscription"], each["type"]): each
        for each in evidence.deliveries
        if trait in _traits(each["payload"])
    }
    stops = []
    for delivery in newest.values():
        found = unread(delivery, key, trait, evidence.workspace)
        value = f"{trait}: {_json(_traits(delivery['payload'])[trait])}"
        stops.append(_stop(found.reason, found.message, found.advice, found=value, about=delivery))
    return max(stops, key=lambda stop: stop.step, default=None)


def _removed(evidence: Evidence, trait: str, value: object) -> Stop | None:
    """The stop at a filter that takes the trait out of events for a connection that sends it."""
    sending = {
        (destination.name, connection.audience_key)
        for destination in evidence.workspace.destinations
        for connection in destination.connections
        if trait in connection.traits
    }
    for each in evidence.deliveries:
        if (each["destination"], each["audienceKey"]) in sending:
            found = removed(each, trait, value, evidence.workspace)
            if found is not None:
                return _stop(found.reason, found.message, found.advice, found=f"{trait}: {_json(value)}", about=each)
    return None


def _of_record(record: Shown, key: str) -> Stop:
    warning = next((each for each in record["warnings"] if each.get("key") == key), None)
    code = warning["code"] if warning else "NOT_APPLIED"
    found = f"{key}: {_json(record['record'].get(key))}"
    if code == "UNREADABLE_VALUE":
        declared = str(warning["declared"]) if warning else ""
        return _stop(
            code,
            f"the value cannot be read as {declared}, which the mapping declares",
            f"Send a value of the type {declared}, or declare another one.",
            found=found,
            about=record,
        )
    return _stop(
        "UNMAPPED_KEY" if code == "NOT_APPLIED" else code,
        f"the record has the key {key!r}, and no profile mapping that was active then names it",
        f"Map {key!r} with upsertProfileMapping, then send the record again.",
        found=found,
        about=record,
    )


def _traits(payload: Shown) -> Mapping[str, Any]:
    holders = (payload.get("traits"), payload.get("properties"))
    return {name: value for holder in holders if isinstance(holder, dict) for name, value in holder.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _stop(reason: str, message: str, advice: str, *, found: str | None = None, about: Shown | None = None) -> Stop:
    step = _STEPS.index(reason) if reason in _STEPS else len(_STEPS)
    return Stop(
        stage=PROPERTY, reason=reason, message=message, advice=advice, found=found, about=about or {}, step=step
    )
