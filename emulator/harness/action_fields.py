"""The fields of each action of a generation, as the form *Map fields* shows them."""

from __future__ import annotations

from functools import cache
from typing import Any

from emulator.artefacts import contract_json
from emulator.mapping import ActionDefinition, Definition, Field


def actions_of(definition: Definition) -> list[dict[str, Any]]:
    """`{"slug", "title", "trigger", "fields"}` of each action: `trigger` is that of a new mapping.

    A field has the parts of the definition that it has, with the published `help`, and whether it is `hidden` in
    Segment's form. `path` leads to it in the mapping, `properties` are the fields of an object.
    """
    return [_action(action) for action in definition.actions.values()]


def _action(action: ActionDefinition) -> dict[str, Any]:
    return {
        "slug": action.slug,
        "title": action.title,
        "trigger": action.default_subscription,
        "fields": [_field(field, "") for field in action.fields],
    }


def _field(field: Field, parent: str) -> dict[str, Any]:
    path = f"{parent}{field.key}"
    return {
        "path": path,
        "key": field.key,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "dynamic": field.dynamic,
        "multiple": field.multiple,
        "format": field.format,
        "choices": list(field.choices),
        "default": field.default,
        "help": _help().get(path, {}).get("help"),
        "hidden": _help().get(path, {}).get("hidden", False),
        "properties": [_field(each, f"{path}.") for each in field.properties],
    }


@cache
def _help() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = contract_json("segment/field-help.json")["fields"]
    return found
