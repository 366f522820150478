"""The options of a fault: declared once, as fields of its class, for parsing, the contracts and the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final

from emulator.errors import InputError, unknown

MATCHERS: Final = ("operation", "advertiser", "email")
# What a rule takes with every fault.
COMMON: Final = (*MATCHERS, "probability", "times", "lasts")

_TYPES: Final[Mapping[str, type]] = {"integer": int, "boolean": bool, "string": str, "array": list}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a fault. `type` is its JSON type (an array holds strings), `default` MISSING when it is required."""

    type: str
    description: str
    name: str | None = None
    default: Any = MISSING
    least: int | None = None
    most: int | None = None

    @property
    def allowed(self) -> str:
        """The values that it takes, for error messages."""
        if self.type == "integer":
            return f"{self.least} to {self.most}"
        return {"boolean": "true, false", "string": "a string", "array": "an array of strings"}[self.type]

    def read(self, given: Mapping[str, Any], name: str) -> Any:
        """The value that a definition gives it, or its default. Raises InputError."""
        if name not in given:
            if self.default is MISSING:
                raise InputError("this option is required", where=name, allowed=self.allowed)
            return self.default
        value = given[name]
        # In Python, true is an integer.
        valid = isinstance(value, _TYPES[self.type]) and (self.type == "boolean" or not isinstance(value, bool))
        if valid and self.least is not None and self.most is not None:
            valid = self.least <= value <= self.most
        if valid and self.type == "array":
            valid = all(isinstance(item, str) for item in value)
        if not valid:
            raise InputError(f"invalid {self.type}", where=name, found=value, allowed=self.allowed)
        return tuple(value) if self.type == "array" else value


def integer(description: str, *, most: int, least: int = 0, default: Any = MISSING, name: str | None = None) -> Any:
    """A field that is an integer option. `name` is its JSON name where that is not the field's."""
    return _field(Option(type="integer", description=description, name=name, default=default, least=least, most=most))


def boolean(description: str) -> Any:
    """A field that is a boolean option, false by default."""
    return _field(Option(type="boolean", description=description, default=False))


def string(description: str, *, default: str) -> Any:
    """A field that is a string option."""
    return _field(Option(type="string", description=description, default=default))


def strings(description: str, *, default: tuple[str, ...]) -> Any:
    """A field that is an array of strings."""
    return _field(Option(type="array", description=description, default=default))


def options_of(kind: type) -> dict[str, Option]:
    """The options of a fault by name, in the order in which they are declared."""
    return {option.name or name: option for name, option in _declared(kind)}


def parse_options(kind: type, fault: str, given: Mapping[str, Any]) -> Any:
    """A fault of this class with the options of a definition. Raises InputError."""
    known = options_of(kind)
    for name in given:
        if name not in known:
            raise unknown(f"{fault} option", name, (*known, *COMMON), where=name)
    return kind(**{attribute: option.read(given, option.name or attribute) for attribute, option in _declared(kind)})


def show_options(fault: Any) -> dict[str, Any]:
    """The options of a fault in their JSON form, those without a value left out."""
    shown = {option.name or name: getattr(fault, name) for name, option in _declared(type(fault))}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in shown.items() if value is not None
    }


def _field(option: Option) -> Any:
    return field(default=option.default, metadata={"option": option})


def _declared(kind: type) -> list[tuple[str, Option]]:
    return [(each.name, each.metadata["option"]) for each in fields(kind)]
