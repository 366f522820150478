"""The published destination as data: settings, actions, fields, defaults and choices of each generation.

Read from `contracts/segment/destinations/<generation>.json`. A file with `same_as` shares the definition of another
generation; otherwise each action names its `builder`, one of `actions.BUILDERS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from emulator.artefacts import contract_json, contracts_dir
from emulator.errors import EmulatorDefect, nearest, unknown
from emulator.mapping.javascript.values import stringify

_FOLDER = "segment/destinations"
_TYPES = ("string", "password", "boolean", "object")
_FORMATS = ("email", "date")
_ADVERTISER_SOURCES = ("mapping", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a mapping, a setting, or a member of an object field, with Segment's names for the parts.

    `additional_properties` is None where the definition has none. `default` is the initial mapping of the field; it is
    never applied to a payload.
    """

    key: str
    label: str
    type: str
    required: bool = False
    dynamic: bool = False
    multiple: bool = False
    format: str | None = None
    choices: tuple[str, ...] = ()
    additional_properties: bool | None = None
    properties: tuple[Field, ...] = ()
    default: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDefinition:
    """An action of the destination."""

    slug: str
    title: str
    builder: str
    default_subscription: str
    fields: tuple[Field, ...]

    def default_mapping(self) -> dict[str, object]:
        """The mapping of a new subscription: the default of each field that has one."""
        return {field.key: field.default for field in self.fields if field.default is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One generation of the destination.

    `advertiser_from` is `mapping` or `settings`; `mutations` are the root fields of the document in order.
    """

    generation: str
    source: str
    name: str
    slug: str
    endpoint: str
    external_provider: str
    advertiser_from: str
    mutations: tuple[str, ...]
    settings: tuple[Field, ...]
    actions: Mapping[str, ActionDefinition]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """A mapping field as documentation lists it; `field` is a path for members of objects, `default` JSON or empty."""

    generation: str
    action: str
    title: str
    field: str
    label: str
    type: str
    required: bool
    default: str
    choices: tuple[str, ...]


def field_rows() -> Iterator[FieldRow]:
    """The mapping fields of every action of every generation, newest generation first."""
    for generation in reversed(generations()):
        for action in load_definition(generation).actions.values():
            for path, field in _with_members(action.fields, ""):
                yield FieldRow(
                    generation=generation,
                    action=action.slug,
                    title=action.title,
                    field=path,
                    label=field.label,
                    type=f"array of {field.type}" if field.multiple else field.type,
                    required=field.required,
                    default="" if field.default is None else str(stringify(field.default)),
                    choices=field.choices,
                )


def _with_members(fields: Iterable[Field], prefix: str) -> Iterator[tuple[str, Field]]:
    for field in fields:
        yield f"{prefix}{field.key}", field
        yield from _with_members(field.properties, f"{prefix}{field.key}.")


@cache
def generations() -> tuple[str, ...]:
    """The generations with a definition, oldest first."""
    names = (path.stem for path in (contracts_dir() / _FOLDER).glob("*.json"))
    return tuple(sorted(names, key=_version))


def newest() -> str:
    """The current generation."""
    return generations()[-1]


@cache
def load_definition(generation: str) -> Definition:
    """The definition of one generation. Raises UnknownName, with the nearest earlier generation as the hint."""
    if generation not in generations():
        error = unknown("generation", generation, generations(), where="generation")
        wanted = _version(generation)
        if len(wanted) == len(_version(newest())) and wanted > _version(generations()[0]):
            error.hint = f"The nearest earlier one is {nearest_generation(generation)!r}."
        raise error
    content: dict[str, Any] = contract_json(f"{_FOLDER}/{generation}.json")
    if "same_as" in content:
        shared = load_definition(content["same_as"])
        return replace(shared, generation=generation, source=content["source"])
    return parse_definition(content, f"{_FOLDER}/{generation}.json")


def _version(generation: str) -> tuple[int, ...]:
    return tuple(int(part) for part in generation.split(".") if part.isdecimal())


def nearest_generation(version: str) -> str:
    """The generation of a published version: itself, otherwise the last one before it, otherwise the first."""
    earlier = [known for known in generations() if _version(known) <= _version(version)]
    return earlier[-1] if earlier else generations()[0]


def parse_definition(content: Mapping[str, Any], where: str) -> Definition:
    """The definition in a file. Raises EmulatorDefect for an unknown name or value."""
    _check_names(content, [*Definition.__dataclass_fields__], where)
    _check_value(content["advertiser_from"], _ADVERTISER_SOURCES, f"{where}/advertiser_from")
    parts = {
        "mutations": tuple(content["mutations"]),
        "settings": _fields(content["settings"], f"{where}#/settings"),
        "actions": {
            slug: _action(slug, action, f"{where}#/actions/{slug}") for slug, action in content["actions"].items()
        },
    }
    return Definition(**{**content, **parts})


def _action(slug: str, content: Mapping[str, Any], where: str) -> ActionDefinition:
    _check_names(content, ["title", "builder", "defaultSubscription", "fields"], where)
    return ActionDefinition(
        slug=slug,
        title=content["title"],
        builder=content["builder"],
        default_subscription=content["defaultSubscription"],
        fields=_fields(content["fields"], f"{where}/fields"),
    )


def _fields(content: Mapping[str, Any], where: str) -> tuple[Field, ...]:
    return tuple(_field(key, parts, f"{where}/{key}") for key, parts in content.items())


_SIMPLE_PARTS = ("label", "type", "required", "dynamic", "multiple", "format", "default")
_FIELD_PARTS = (*_SIMPLE_PARTS, "choices", "additionalProperties", "depends_on", "properties")


def _field(key: str, parts: Mapping[str, Any], where: str) -> Field:
    _check_names(parts, _FIELD_PARTS, where)
    _check_value(parts["type"], _TYPES, f"{where}/type")
    if "format" in parts:
        _check_value(parts["format"], _FORMATS, f"{where}/format")
    return Field(
        key=key,
        **{name: parts[name] for name in _SIMPLE_PARTS if name in parts},
        choices=tuple(parts.get("choices", ())),
        additional_properties=parts.get("additionalProperties"),
        properties=_fields(parts.get("properties", {}), f"{where}/properties"),
    )


def _check_names(content: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for name in content:
        if name not in known:
            raise EmulatorDefect("unknown name in a definition", where=where, found=name, hint=nearest(name, known))


def _check_value(found: object, allowed: Sequence[str], where: str) -> None:
    if found not in allowed:
        raise EmulatorDefect("unknown value in a definition", where=where, found=found, allowed=", ".join(allowed))
