"""Payloads of events whose values fit their fields as they are: one generated Python function a mapping.

Nearly all events need no conversion and violate nothing. For these the function looks up each value, tests its type and
puts it into the payload. It returns None as soon as anything is unusual: resolving the mapping and checking the payload
in full then defines what happens, errors included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.prototypes import OBJECT_MEMBERS
from emulator.mapping.javascript.values import (
    CONTAINERS,
    UNDEFINED,
    ConversionError,
    is_array_index,
    ordered_items,
    truthy,
    without_undefined,
)
from emulator.mapping.paths import chunks_of, without_root
from emulator.mapping.resolve import MappingCompiler, check_mapping, directive_of, may_write_event
from emulator.mapping.schema.conversion import is_empty
from emulator.mapping.schema.json_schema import FORMATS, JsonSchema, compile_value_check
from emulator.mapping.schema.payload_check import KEPT_MEMBER

Now: TypeAlias = Callable[[], datetime]
FittingPayload: TypeAlias = Callable[[object], dict[str, Any] | None]

_INDENT = " " * 8
_DEEPEST_IF = 10
_FUNCTION = """\
def fitting_payload(event):
    if type(event) is not dict: return None
    try:
        {objects}
        payload = {{}}
        {members}
    except failures: return None
    return payload
"""


def compile_fitting_payload(mapping: Mapping[str, object], schema: JsonSchema, *, now: Now | None) -> FittingPayload:
    """The payload of an event in a batch if it fits, otherwise None."""
    source = _Source(MappingCompiler(now))
    try:
        check_mapping(mapping)
        if directive_of(mapping) is not None or may_write_event(mapping):
            return never_fits
        source.members("payload", mapping, schema)
    except (_NeverFits, MappingError, RecursionError):
        return never_fits
    return source.compiled()


def never_fits(_event: object) -> None:
    """For mappings whose payloads all have to be converted or are invalid."""


class _NeverFits(Exception):
    """Every payload of the mapping has to be converted, or is invalid."""


class _Source:
    """The source of one function, and the objects that it refers to by name.

    Null is the same as a missing value here: both are left out of a payload, and are absent for `@if`.
    """

    def __init__(self, compiler: MappingCompiler) -> None:
        self._compiler = compiler
        self._lines: list[str] = []
        self._object_lines: list[str] = []
        self._objects: dict[tuple[str, ...], str] = {(): "event"}
        self._names: dict[str, object] = {
            "UNDEFINED": UNDEFINED,
            "without_undefined": without_undefined,
            "empty": {},
            "failures": (MappingError, ConversionError, RecursionError),
        }

    def compiled(self) -> FittingPayload:
        """The function."""
        text = _FUNCTION.format(
            objects=f"\n{_INDENT}".join(self._object_lines or ["pass"]), members=f"\n{_INDENT}".join(self._lines)
        )
        # Names and texts of the mapping are in it as literals only.
        exec(text, self._names)  # noqa: S102 - the text is made above
        function: FittingPayload = self._names["fitting_payload"]  # type: ignore[assignment]  # defined by the text
        return function

    def members(self, target: str, mapping: Mapping[str, object], schema: JsonSchema) -> None:
        """Puts the members of an object into the variable `target`."""
        schemas, required = schema["properties"], schema["required"]
        if not mapping.keys() >= set(required):
            raise _NeverFits
        for key, value in ordered_items(mapping):
            slot = f"{target}[{key!r}]"
            if key not in schemas:
                self._left_out(key, value, schema)
            elif not isinstance(value, CONTAINERS):
                self._constant(slot, value, schemas[key], required=key in required)
            elif "properties" in schemas[key] and isinstance(value, dict) and directive_of(value) is None:
                within = f"object{len(self._lines)}"
                self._lines.append(f"{within} = {slot} = {{}}")
                self.members(within, value, schemas[key])
            else:
                self._value(slot, value, schemas[key], required=key in required)

    def _left_out(self, key: str, mapping: object, schema: JsonSchema) -> None:
        """A member that is no field, such as Segment's `__segment_internal_sync_mode`, if it cannot fail."""
        if key == KEPT_MEMBER or schema["additionalProperties"] or self._expression(mapping) is None:
            raise _NeverFits

    def _constant(self, slot: str, value: object, schema: JsonSchema, *, required: bool) -> None:
        if is_empty(value, schema) and not required:
            return
        if not compile_value_check(schema)(value):
            raise _NeverFits
        self._lines.append(f"{slot} = {self._named(value)}")

    def _value(self, slot: str, mapping: object, schema: JsonSchema, *, required: bool) -> None:
        expression = self._expression(mapping) or f"{self._named(self._compiler.value(mapping))}(event)"
        self._lines.append(f"value = {expression}")
        if schema["type"] in ("object", "array"):
            self._lines.append("value = without_undefined(value)")
        test = self._test(schema)
        if required:
            self._lines += (f"if not ({test}): return None", f"{slot} = value")
        else:
            unusual = "elif value is not None and value is not UNDEFINED: return None"
            self._lines += (f"if {test}: {slot} = value", unusual)

    def _test(self, schema: JsonSchema) -> str:
        """Whether `value` fits its schema."""
        if schema["type"] == "boolean":
            return "type(value) is bool"
        if schema["type"] == "object" and "properties" not in schema:
            return "type(value) is dict"
        if schema["type"] != "string":
            return f"{self._named(compile_value_check(schema))}(value)"
        choices = f" and value in {self._named(frozenset(schema['enum']))}" if "enum" in schema else ""
        form = f" and {self._named(FORMATS[schema['format']])}(value)" if "format" in schema else ""
        return f"type(value) is str{choices}{form}"

    def _expression(self, mapping: object, depth: int = 0) -> str | None:
        """An expression for a scalar, a path, or an `@if` of these; None for anything else."""
        if not isinstance(mapping, CONTAINERS):
            return self._named(mapping)
        name = directive_of(mapping) if isinstance(mapping, dict) else None
        options = mapping[name] if name and isinstance(mapping, dict) else None
        if name == "@path" and isinstance(options, str):
            return self._path(chunks_of(without_root(options)))
        if name == "@if" and isinstance(options, dict) and depth < _DEEPEST_IF:
            return self._if(options, depth + 1)
        return None

    def _path(self, keys: tuple[str, ...]) -> str | None:
        if not keys or OBJECT_MEMBERS.intersection(keys) or any(map(is_array_index, keys)):
            return None
        return f"{self._object(keys[:-1])}.get({keys[-1]!r})"

    def _if(self, options: Mapping[str, object], depth: int) -> str | None:
        if not truthy(options.get("exists", UNDEFINED)):
            return None
        tested = self._expression(options["exists"], depth)
        then = self._expression(options.get("then"), depth)
        otherwise = self._expression(options.get("else") if truthy(options.get("else")) else None, depth)
        if tested is None or then is None or otherwise is None:
            return None
        if then == tested:
            return f"(value if (value := {tested}) is not None else {otherwise})"
        return f"({then} if {tested} is not None else {otherwise})"

    def _object(self, keys: tuple[str, ...]) -> str:
        """The variable with the object at these keys, empty if it is missing. Anything else there is unusual."""
        if keys not in self._objects:
            found = f"{self._object(keys[:-1])}.get({keys[-1]!r}, empty)"
            self._objects[keys] = f"event{len(self._objects)}"
            self._object_lines += (
                f"{self._objects[keys]} = {found}",
                f"if type({self._objects[keys]}) is not dict: return None",
            )
        return self._objects[keys]

    def _named(self, value: object) -> str:
        """A name for an object that the function uses."""
        name = f"constant{len(self._names)}"
        self._names[name] = value
        return name
