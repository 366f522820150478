"""Properties that JavaScript values inherit: `$.name.length` is a number, `$.constructor.name` is `Object`.

The engine reads members with `value[key]`, so paths reach the built-in prototypes. Names and parameter counts as in
Node 20.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.mapping.javascript.values import (
    UNDEFINED,
    NativeFunction,
    is_array_index,
    type_of,
    utf16_length,
    utf16_units,
)


def _functions(constructor: str, methods: str) -> dict[str, NativeFunction]:
    pairs = (entry.split("/") for entry in methods.split())
    own = {name: NativeFunction(name, int(length)) for name, length in pairs}
    return {"constructor": NativeFunction(constructor, 1), **own}


_OBJECT = _functions(
    "Object",
    "__defineGetter__/2 __defineSetter__/2 hasOwnProperty/1 __lookupGetter__/1 __lookupSetter__/1 isPrototypeOf/1"
    " propertyIsEnumerable/1 toString/0 valueOf/0 toLocaleString/0",
)
_ARRAY = {
    **_OBJECT,
    **_functions(
        "Array",
        "at/1 concat/1 copyWithin/2 fill/1 find/1 findIndex/1 findLast/1 findLastIndex/1 lastIndexOf/1 pop/0 push/1"
        " reverse/0 shift/0 unshift/1 slice/2 sort/1 splice/2 includes/1 indexOf/1 join/1 keys/0 entries/0 values/0"
        " forEach/1 filter/1 flat/0 flatMap/1 map/1 every/1 some/1 reduce/1 reduceRight/1 toReversed/0 toSorted/1"
        " toSpliced/2 with/2",
    ),
}
_STRING = {
    **_OBJECT,
    **_functions(
        "String",
        "anchor/1 at/1 big/0 blink/0 bold/0 charAt/1 charCodeAt/1 codePointAt/1 concat/1 endsWith/1 fontcolor/1"
        " fontsize/1 fixed/0 includes/1 indexOf/1 isWellFormed/0 italics/0 lastIndexOf/1 link/1 localeCompare/1 match/1"
        " matchAll/1 normalize/0 padEnd/1 padStart/1 repeat/1 replace/2 replaceAll/2 search/1 slice/2 small/0 split/2"
        " strike/0 sub/0 substr/2 substring/2 sup/0 startsWith/1 toWellFormed/0 trim/0 trimStart/0 trimEnd/0"
        " toLocaleLowerCase/0 toLocaleUpperCase/0 toLowerCase/0 toUpperCase/0",
    ),
    "trimLeft": NativeFunction("trimStart", 0),
    "trimRight": NativeFunction("trimEnd", 0),
}
_NUMBER = {**_OBJECT, **_functions("Number", "toExponential/1 toFixed/1 toPrecision/1 toString/1")}
_BOOLEAN = {**_OBJECT, **_functions("Boolean", "")}
_FUNCTION = {**_OBJECT, **_functions("Function", "apply/2 bind/1 call/1")}
_INHERITED: Mapping[str, Mapping[str, NativeFunction]] = {
    "object": _OBJECT,
    "string": _STRING,
    "number": _NUMBER,
    "boolean": _BOOLEAN,
    "function": _FUNCTION,
}
# `__proto__` of a scalar as JSON.
_PROTOTYPES: Mapping[str, object] = {"string": "", "number": 0, "boolean": False}
OBJECT_MEMBERS = frozenset(_OBJECT) | {"__proto__"}


def member(value: object, key: str) -> object:
    """`value[key]` for a value that is neither null nor undefined."""
    if isinstance(value, dict):
        return value[key] if key in value else _inherited(_OBJECT, key, {})
    if isinstance(value, list):
        return list_member(value, key)
    if isinstance(value, str):
        return _text_member(value, key)
    if isinstance(value, NativeFunction) and key in ("name", "length"):
        return value.name if key == "name" else value.length
    kind = type_of(value)
    return _inherited(_INHERITED[kind], key, _PROTOTYPES.get(kind, {}))


def list_member(items: list[object], key: str) -> object:
    """`items[key]`: an item by its canonical index, `length`, or a function of arrays."""
    if is_array_index(key):
        position = int(key)
        return items[position] if position < len(items) else UNDEFINED
    return len(items) if key == "length" else _inherited(_ARRAY, key, [])


def _text_member(text: str, key: str) -> object:
    if is_array_index(key):
        units = utf16_units(text)
        position = int(key)
        return units[position] if position < len(units) else UNDEFINED
    return utf16_length(text) if key == "length" else _inherited(_STRING, key, _PROTOTYPES["string"])


def _inherited(functions: Mapping[str, NativeFunction], key: str, prototype: object) -> object:
    return prototype if key == "__proto__" else functions.get(key, UNDEFINED)
