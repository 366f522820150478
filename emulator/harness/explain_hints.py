"""What to do about an event that stopped at the trigger or at the validation of its payload."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emulator.harness.trigger_repair import matches, repaired_trigger
from emulator.mapping import NOT_A_STRING, Trigger, is_email

_OWN_CALL = (
    "This is a call of an app. Audience events, which name the audience in context.personas, come from Engage: create "
    "one with `generate audience-events`, or make a running emulator send one with `trigger audience-entered`."
)
# The fields that identify the audience; only events of Engage have them.
_AUDIENCE_FIELDS = "segment_computation_"
_MISSING = re.compile(r"missing the required field '(\w+)'")
_NO_EMAIL = (
    "The event has no email: send one with the call, or turn on the email identifier of the audience's connection"
    " (email: true)."
)


def trigger_hint(trigger: Trigger, event: Mapping[str, Any], conditions: Mapping[str, Any] | None) -> str:
    """Which conditions are not met, why, and the corrected trigger; with the message that Segment reports."""
    repaired = repaired_trigger(str(trigger.text), [event], matches)
    said = ""
    if trigger.error is not None:
        prefix = "" if trigger.error == NOT_A_STRING else "Invalid subscription : "
        said = f"Segment reports: {prefix}{trigger.error}."
    unmet = " and ".join(_unmet(conditions)) if conditions else ""
    parts = [f"Not met: {unmet}." if unmet else "", repaired.cause if repaired else "", said]
    return " ".join(filter(None, [*parts, repaired.advice if repaired else "Write a new trigger."]))


def validation_hint(message: str | None, event: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> str | None:
    """What to do about a payload that is not valid; `fields` are the fields of the mapping with their values."""
    missing = _MISSING.findall(message or "")
    if any(name.startswith(_AUDIENCE_FIELDS) for name in missing) and not _names_audience(event):
        return _OWN_CALL
    hints = list(dict.fromkeys(_hint_for_missing(name, event, fields) for name in missing))
    if "must be a valid" in (message or "") or "must be a" in (message or ""):
        hints.append("Send a value of that form, or map the field to another one.")
    if "must be one of" in (message or ""):
        hints.append("Map the field to one of these values.")
    return " ".join(hints) or None


def _hint_for_missing(name: str, event: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> str:
    if name != "email":
        return f"Map the field {name!r} to something that the event has."
    found = next(_emails(event, "$"), None)
    if found is None:
        return _NO_EMAIL
    path, value = found
    mapped = "The mapping does not read it" if any(field["field"] == name for field in fields) else "No field maps it"
    directive = json.dumps({"@path": path})
    return f"The event has the email {json.dumps(value)} at {path}. {mapped}: map email to {directive}."


def _names_audience(event: Mapping[str, Any]) -> bool:
    context = event.get("context")
    return isinstance(context, Mapping) and "personas" in context


def _emails(value: object, path: str) -> Iterator[tuple[str, str]]:
    """The paths and values of the email addresses in an event."""
    if isinstance(value, str) and is_email(value):
        yield path, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _emails(member, f"{path}.{name}")


def _unmet(node: Mapping[str, Any]) -> Iterator[str]:
    """The conditions that are not met, each with what it found; alternatives as one text."""
    if node["passed"]:
        return
    if "conditions" not in node:
        found = node["found"]
        shown = "nothing" if found == {"undefined": True} else json.dumps(found, ensure_ascii=False)
        yield f"{node['condition']} (found {shown})"
    elif node["operator"] == "and":
        for child in node["conditions"]:
            yield from _unmet(child)
    else:
        texts = [" and ".join(_unmet(child)) for child in node["conditions"]]
        yield " or ".join(text for text in texts if text)
