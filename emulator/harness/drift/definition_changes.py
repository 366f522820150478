"""Two definitions of the destination side by side, in the form of `contracts/segment/destinations/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.harness.drift.finding import BREAKING, DANGEROUS, SAFE, Finding
from emulator.mapping import stringify

_Content = Mapping[str, Any]

# What a change of each part of a field leads to. `required`, `choices` and `properties` are looked at more closely.
_PARTS: Final = MappingProxyType(
    {
        "label": SAFE,
        "type": BREAKING,
        "dynamic": DANGEROUS,
        "multiple": BREAKING,
        "format": BREAKING,
        "additionalProperties": BREAKING,
        "depends_on": DANGEROUS,
        "default": DANGEROUS,
    }
)
_CONSEQUENCES: Final = MappingProxyType(
    {
        "REMOVED": "Mappings that fill it have no effect any more.",
        "REQUIRED": "Events are refused by the mapping that works today until it is filled.",
        "NAME": "What routes events to it under the old name no longer does.",
        "TRIGGER": "New subscriptions let other events through; existing ones keep their trigger.",
        "default": "New subscriptions start with another mapping; existing ones keep theirs.",
        "choices": "Mappings with the value that is gone are refused.",
        "type": "Values that are accepted today are refused or turned into others.",
        "multiple": "Values that are accepted today are refused or turned into others.",
        "format": "Values that are accepted today are refused, or the reverse.",
        "additionalProperties": "Members that are passed on today are dropped, or the reverse.",
    }
)
_SHOWN_CHARACTERS = 80


def definition_findings(recorded: _Content, installed: _Content) -> Iterator[Finding]:
    """What differs in names, settings, actions, triggers, fields and defaults."""
    for name in ("name", "slug"):
        if recorded[name] != installed.get(name):
            yield _changed(DANGEROUS, name, recorded[name], installed.get(name), part="NAME")
    yield from _fields(recorded["settings"], installed["settings"], "settings")
    before, after = recorded["actions"], installed["actions"]
    yield from (_finding(BREAKING, "REMOVED", f"actions.{key}", "the action is gone.") for key in before.keys() - after)
    yield from (_finding(SAFE, "ADDED", f"actions.{key}", "the action is new.") for key in after.keys() - before)
    for key in sorted(before.keys() & after):
        yield from _action(before[key], after[key], f"actions.{key}")


def _action(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    if recorded["title"] != installed.get("title"):
        yield _changed(SAFE, f"{place}.title", recorded["title"], installed.get("title"))
    if recorded["defaultSubscription"] != installed.get("defaultSubscription"):
        trigger = f"{place}.defaultSubscription"
        yield _changed(
            DANGEROUS, trigger, recorded["defaultSubscription"], installed.get("defaultSubscription"), part="TRIGGER"
        )
    yield from _fields(recorded["fields"], installed["fields"], f"{place}.fields")


def _fields(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for key in sorted(recorded.keys() - installed):
        yield _finding(BREAKING, "REMOVED", f"{place}.{key}", "the field is gone.")
    for key in sorted(installed.keys() - recorded):
        if installed[key].get("required") and installed[key].get("default") is None:
            yield _finding(BREAKING, "REQUIRED", f"{place}.{key}", "the field is new and required.")
        else:
            yield _finding(SAFE, "ADDED", f"{place}.{key}", "the field is new.")
    for key in sorted(recorded.keys() & installed):
        yield from _field(recorded[key], installed[key], f"{place}.{key}")


def _field(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for part, criticality in _PARTS.items():
        before, after = _part(recorded, part), _part(installed, part)
        if before != after:
            yield _changed(criticality, f"{place}.{part}", before, after, part=part)
    before, after = _part(recorded, "required"), _part(installed, "required")
    if before != after:
        refuses = bool(after) and installed.get("default") is None
        yield _changed(BREAKING if refuses else SAFE, f"{place}.required", before, after, part="REQUIRED")
    before, after = recorded.get("choices", []), installed.get("choices", [])
    if before != after:
        # No choices at all means any value.
        narrower = bool(after) and (not before or any(choice not in after for choice in before))
        yield _changed(BREAKING if narrower else SAFE, f"{place}.choices", before, after, part="choices")
    yield from _fields(recorded.get("properties", {}), installed.get("properties", {}), f"{place}.properties")


def _part(field: _Content, part: str) -> Any:
    """A part's value; a switch that is off is the same as one that is not there."""
    value = field.get(part)
    return value if value is not False or part == "additionalProperties" else None


def _changed(criticality: str, path: str, before: Any, after: Any, *, part: str = "") -> Finding:
    return _finding(criticality, "CHANGED", path, f"{_shown(before)} became {_shown(after)}.", part=part)


def _finding(criticality: str, kind: str, path: str, message: str, *, part: str = "") -> Finding:
    breaks = "" if criticality == SAFE else _CONSEQUENCES.get(part or kind, "")
    return Finding(criticality=criticality, kind=kind, path=path, message=message, breaks=breaks)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(stringify(value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
