"""Compares two definitions of the destination, in the form of `contracts/segment/destinations/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.harness.checks.finding import BREAKING, DANGEROUS, SAFE, Finding, change
from emulator.mapping import stringify

_Content = Mapping[str, Any]

# How severe a change of each attribute of a field is. `required`, `choices` and `properties` are compared separately.
_ATTRIBUTES: Final = MappingProxyType(
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
_NEW_VALUES: Final = "Values that are accepted today are rejected or converted."
_CONSEQUENCES: Final = MappingProxyType(
    {
        "REMOVED": "Mappings that set it have no effect any more.",
        "REQUIRED": "Events fail with existing mappings until they set it.",
        "NAME": "Events routed to it by the old name no longer arrive.",
        "TRIGGER": "New subscriptions match other events; existing ones keep their trigger.",
        "default": "New subscriptions start with another mapping; existing ones keep theirs.",
        "choices": "Mappings with a removed choice fail validation.",
        **dict.fromkeys(("type", "multiple", "format"), _NEW_VALUES),
        "additionalProperties": "Properties that are passed on today are dropped, or the reverse.",
    }
)
_SHOWN_CHARACTERS = 80


def definition_findings(recorded: _Content, installed: _Content) -> Iterator[Finding]:
    """The differences in names, settings, actions, triggers, fields and defaults."""
    for name in ("name", "slug"):
        if recorded[name] != installed.get(name):
            yield _changed(DANGEROUS, name, recorded[name], installed.get(name), about="NAME")
    yield from _fields(recorded["settings"], installed["settings"], "settings")
    before, after = recorded["actions"], installed["actions"]
    for key in sorted(before.keys() - after):
        yield _finding(BREAKING, "REMOVED", f"actions.{key}", "The action was removed.")
    for key in sorted(after.keys() - before):
        yield _finding(SAFE, "ADDED", f"actions.{key}", "The action is new.")
    for key in sorted(before.keys() & after):
        yield from _action(before[key], after[key], f"actions.{key}")


def _action(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for key, severity, about in (("title", SAFE, ""), ("defaultSubscription", DANGEROUS, "TRIGGER")):
        if recorded[key] != installed.get(key):
            yield _changed(severity, f"{place}.{key}", recorded[key], installed.get(key), about=about)
    yield from _fields(recorded["fields"], installed["fields"], f"{place}.fields")


def _fields(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for key in sorted(recorded.keys() - installed):
        yield _finding(BREAKING, "REMOVED", f"{place}.{key}", "The field was removed.")
    for key in sorted(installed.keys() - recorded):
        if installed[key].get("required") and installed[key].get("default") is None:
            yield _finding(BREAKING, "REQUIRED", f"{place}.{key}", "The field is new and required.")
        else:
            yield _finding(SAFE, "ADDED", f"{place}.{key}", "The field is new.")
    for key in sorted(recorded.keys() & installed):
        yield from _field(recorded[key], installed[key], f"{place}.{key}")


def _field(recorded: _Content, installed: _Content, place: str) -> Iterator[Finding]:
    for name, severity in _ATTRIBUTES.items():
        before, after = _attribute(recorded, name), _attribute(installed, name)
        if before != after:
            yield _changed(severity, f"{place}.{name}", before, after, about=name)
    before, after = _attribute(recorded, "required"), _attribute(installed, "required")
    if before != after:
        rejects = bool(after) and installed.get("default") is None
        yield _changed(BREAKING if rejects else SAFE, f"{place}.required", before, after, about="REQUIRED")
    before, after = recorded.get("choices", []), installed.get("choices", [])
    if before != after:
        # Without choices, any value is accepted.
        narrower = bool(after) and (not before or any(choice not in after for choice in before))
        yield _changed(BREAKING if narrower else SAFE, f"{place}.choices", before, after, about="choices")
    yield from _fields(recorded.get("properties", {}), installed.get("properties", {}), f"{place}.properties")


def _attribute(field: _Content, name: str) -> Any:
    """An attribute's value; a flag that is false equals one that is absent."""
    value = field.get(name)
    return value if value is not False or name == "additionalProperties" else None


def _changed(severity: str, place: str, before: Any, after: Any, *, about: str = "") -> Finding:
    return _finding(severity, "CHANGED", place, f"Changed from {_shown(before)} to {_shown(after)}.", about=about)


def _finding(severity: str, code: str, place: str, message: str, *, about: str = "") -> Finding:
    return change(severity, code, place, message, None if severity == SAFE else _CONSEQUENCES.get(about or code))


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(stringify(value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
