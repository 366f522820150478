"""The published destination, generation by generation, as data: settings, actions, fields, defaults, choices.

Read from `contracts/segment/destinations/<generation>.json`. A file may say `same_as` another generation: two published
versions with the same behaviour share one definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from emulator.artefacts import contract_json, contracts_dir
from emulator.errors import EmulatorDefect, UserMistake, nearest

_FOLDER = "segment/destinations"
_TYPES = ("string", "password", "boolean", "object")
_FORMATS = ("email", "date")
_ADVERTISER_SOURCES = ("mapping", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a mapping, a setting, or a member of an object field, under the names that Segment gives the parts.

    `additional_properties` is None where the definition is silent; `default` is a preset of the mapping, never applied
    to a payload.
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
    """One thing the destination can do for an event."""

    slug: str
    title: str
    default_subscription: str
    fields: tuple[Field, ...]

    def default_mapping(self) -> dict[str, object]:
        """The mapping that Segment's screen starts with: the default of each field that has one."""
        return {field.key: field.default for field in self.fields if field.default is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One generation of the destination.

    `advertiser_from` tells whether the advertiser comes with each mapping or with the settings; `mutations` are the
    root fields of the document in the order in which they are written.
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


@cache
def generations() -> tuple[str, ...]:
    """The generations that have a definition, oldest first."""
    names = (path.stem for path in (contracts_dir() / _FOLDER).glob("*.json"))
    return tuple(sorted(names, key=_version))


def newest() -> str:
    """The generation that is current."""
    return generations()[-1]


@cache
def load_definition(generation: str) -> Definition:
    """The definition of one generation. Raises UserMistake for an unknown one, naming the nearest that is known."""
    if generation not in generations():
        raise UserMistake(
            "there is no such generation of the destination",
            where="generation",
            found=generation,
            allowed=", ".join(generations()),
            hint=_nearest_generation(generation),
        )
    content: dict[str, Any] = contract_json(f"{_FOLDER}/{generation}.json")
    if "same_as" in content:
        shared = load_definition(content["same_as"])
        return replace(shared, generation=generation, source=content["source"])
    return parse_definition(content, f"{_FOLDER}/{generation}.json")


def _version(generation: str) -> tuple[int, ...]:
    return tuple(int(part) for part in generation.split(".") if part.isdecimal())


def _nearest_generation(generation: str) -> str | None:
    wanted = _version(generation)
    if len(wanted) == 3:
        earlier = [known for known in generations() if _version(known) <= wanted]
        if earlier:
            return f"The nearest earlier one is {earlier[-1]!r}."
    return nearest(generation, generations())


def nearest_generation(version: str) -> str:
    """The known generation for a published version: itself, else the last before it, else the first."""
    earlier = [known for known in generations() if _version(known) <= _version(version)]
    return earlier[-1] if earlier else generations()[0]


def parse_definition(content: Mapping[str, Any], where: str) -> Definition:
    """A definition file's content. Raises EmulatorDefect for a name or value that no definition may have."""
    _check_names(content, [*Definition.__dataclass_fields__], where)
    if content["advertiser_from"] not in _ADVERTISER_SOURCES:
        raise _defect(where, "advertiser_from", content["advertiser_from"], _ADVERTISER_SOURCES)
    actions = {slug: _action(slug, action, f"{where}#/actions/{slug}") for slug, action in content["actions"].items()}
    return Definition(
        **{name: content[name] for name in ("generation", "source", "name", "slug", "endpoint")},
        external_provider=content["external_provider"],
        advertiser_from=content["advertiser_from"],
        mutations=tuple(content["mutations"]),
        settings=_fields(content["settings"], f"{where}#/settings"),
        actions=actions,
    )


def _action(slug: str, content: Mapping[str, Any], where: str) -> ActionDefinition:
    _check_names(content, ["title", "defaultSubscription", "fields"], where)
    return ActionDefinition(
        slug=slug,
        title=content["title"],
        default_subscription=content["defaultSubscription"],
        fields=_fields(content["fields"], f"{where}/fields"),
    )


def _fields(content: Mapping[str, Any], where: str) -> tuple[Field, ...]:
    return tuple(_field(key, parts, f"{where}/{key}") for key, parts in content.items())


_FIELD_PARTS = (
    *("label", "type", "required", "dynamic", "multiple", "format", "choices", "additionalProperties"),
    *("depends_on", "properties", "default"),
)


def _field(key: str, parts: Mapping[str, Any], where: str) -> Field:
    _check_names(parts, _FIELD_PARTS, where)
    if parts["type"] not in _TYPES:
        raise _defect(where, "type", parts["type"], _TYPES)
    if parts.get("format") not in (None, *_FORMATS):
        raise _defect(where, "format", parts["format"], _FORMATS)
    return Field(
        key=key,
        label=parts["label"],
        type=parts["type"],
        required=parts.get("required", False),
        dynamic=parts.get("dynamic", False),
        multiple=parts.get("multiple", False),
        format=parts.get("format"),
        choices=tuple(parts.get("choices", ())),
        additional_properties=parts.get("additionalProperties"),
        properties=_fields(parts.get("properties", {}), f"{where}/properties"),
        default=parts.get("default"),
    )


def _check_names(content: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for name in content:
        if name not in known:
            raise EmulatorDefect("Unknown name in a definition", where=where, found=name, hint=nearest(name, known))


def _defect(where: str, name: str, found: object, allowed: Iterable[str]) -> EmulatorDefect:
    return EmulatorDefect("Unknown value", where=f"{where}/{name}", found=found, allowed=", ".join(allowed))
