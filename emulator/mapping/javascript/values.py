"""JavaScript's truthiness, conversions and key order, for JSON values.

Segment's engine runs on Node, and its results depend on these rules: `1.0` prints as `1`, key `"2"` precedes key `"b"`,
an emoji has length 2, a missing value is not null. JSON values are plain Python values; Python only lacks `UNDEFINED`.
Rules from ECMA-262, checked against Node 20.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring
from typing import Final, Literal, TypeAlias

MAX_SAFE_INTEGER = 2**53
_MAX_ARRAY_INDEX = 2**32 - 2
_MAX_PLAIN_EXPONENT = 21
_MIN_PLAIN_EXPONENT = -6
CONTAINERS = (dict, list)
_SCALARS = frozenset({str, int, float, bool, type(None)})
_AFTER_DIGITS = chr(ord("9") + 1)
_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
WHITESPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX = {"0x": 16, "0o": 8, "0b": 2}
_LEADING_INTEGER = re.compile(r"[+-]?[0-9]+")
_COLLATION_ORDER = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
_RANK = {character: rank for rank, character in enumerate(_COLLATION_ORDER)}
_RADIX_DIGITS = {16: re.compile("[0-9a-fA-F]+"), 8: re.compile("[0-7]+"), 2: re.compile("[01]+")}


class Undefined(Enum):
    """The type of `UNDEFINED`: an enum, so that `is not UNDEFINED` narrows types."""

    UNDEFINED = "undefined"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined.UNDEFINED
UndefinedType: TypeAlias = Literal[Undefined.UNDEFINED]


class NativeFunction:
    """A built-in function read from a prototype, such as the value of `$.constructor`."""

    __slots__ = ("length", "name")

    def __init__(self, name: str, length: int) -> None:
        self.name = name
        self.length = length

    def __repr__(self) -> str:
        return f"function {self.name}() {{ [native code] }}"


class ConversionError(TypeError):
    """A conversion at which JavaScript throws a TypeError."""


def truthy(value: object) -> bool:
    """Whether `if (value)` takes the branch: all but false, 0, NaN, "", null and undefined; empty arrays are true."""
    if isinstance(value, CONTAINERS):  # several times faster than a union of types
        return True
    return bool(value) and value == value  # NaN differs from itself


def is_nullish(value: object) -> bool:
    """Whether the value is null or undefined."""
    return value is None or value is UNDEFINED


def type_of(value: object) -> str:
    """`typeof value`; null and arrays are `object`."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, NativeFunction):
        return "function"
    return "undefined" if value is UNDEFINED else "object"


def real_type_of(value: object) -> str:
    """`typeof value`, but with `null` and `array` as types of their own."""
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else type_of(value)


def is_number(value: object) -> bool:
    """Whether `typeof value` is `number`."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def strictly_equal(a: object, b: object) -> bool:
    """`a === b`: no conversion; arrays and objects only equal themselves."""
    if isinstance(a, list | dict) or isinstance(b, list | dict):
        return a is b
    return type_of(a) == type_of(b) and a == b


def double(number: int | float) -> int | float:
    """The nearest double: an `int` for an integer up to 2^53, otherwise a `float`."""
    if isinstance(number, int):
        if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
            return number
        try:
            return float(number)
        except OverflowError:
            return math.inf if number > 0 else -math.inf
    if number.is_integer() and -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
        return int(number)
    return number


def number_to_string(number: int | float) -> str:
    """`String(number)`."""
    number = double(number)
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    shortest = repr(number)
    if "e" in shortest:
        return _positional_or_exponential(Decimal(shortest))
    return shortest.removesuffix(".0")


def _positional_or_exponential(number: Decimal) -> str:
    sign, raw_digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - the caller excludes NaN and infinities
    digits = "".join(map(str, raw_digits)).rstrip("0")
    point = len(raw_digits) + exponent
    minus = "-" if sign else ""
    if len(digits) <= point <= _MAX_PLAIN_EXPONENT:
        return minus + digits.ljust(point, "0")
    if _MIN_PLAIN_EXPONENT < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"


def to_number(value: object) -> int | float:
    """`Number(value)` for a scalar: an empty string and null are 0, a string that is not a number is NaN."""
    if isinstance(value, str):
        return _parse_number(trim(value))
    if isinstance(value, int | float):
        return double(+value)
    return 0 if value is None else math.nan


def _parse_number(text: str) -> int | float:
    if not text:
        return 0
    radix = _RADIX.get(text[:2].lower())
    if radix is not None:
        return double(int(text[2:], radix)) if _RADIX_DIGITS[radix].fullmatch(text[2:]) else math.nan
    if _DECIMAL.fullmatch(text):
        return double(float(text))
    if text.lstrip("+-") == "Infinity" and len(text) <= len("+Infinity"):
        return -math.inf if text[0] == "-" else math.inf
    return math.nan


def to_string(value: object) -> str:
    """`String(value)`. Raises ConversionError for an object with a `toString`, which JSON cannot make callable."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_to_string(value)
    if isinstance(value, list):
        return ",".join("" if item is None or item is UNDEFINED else to_string(item) for item in value)
    if isinstance(value, dict):
        if "toString" in value:
            raise ConversionError("Cannot convert object to primitive value")
        return "[object Object]"
    return "null" if value is None else repr(value)


def trim(text: str) -> str:
    """`text.trim()`."""
    return text.strip(WHITESPACE)


def parse_int(text: str) -> int | float | None:
    """`parseInt(text, 10)`; None in place of NaN."""
    match = _LEADING_INTEGER.match(trim(text))
    return double(int(match.group())) if match else None


def collation_key(text: str) -> tuple[tuple[int, ...], tuple[str, ...], tuple[bool, ...]]:
    """A sort key that orders names as `localeCompare` does: by letters, then accents, then case (lower case first).

    Punctuation precedes digits, which precede letters; other scripts are ordered by code point, an approximation.
    """
    decomposed = unicodedata.normalize("NFKD", text)
    letters = [character for character in decomposed if not unicodedata.combining(character)]
    accents = tuple(character for character in decomposed if unicodedata.combining(character))
    ranks = tuple(_RANK.get(part, len(_RANK) + ord(part)) for letter in letters for part in letter.casefold())
    return ranks, accents, tuple(letter.isupper() for letter in letters)


def utf16_length(text: str) -> int:
    """`text.length`: characters beyond U+FFFF count twice."""
    if text.isascii():
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)


def split_units(text: str) -> str:
    """The string with a lone surrogate for each UTF-16 code unit of a character beyond U+FFFF."""
    return text if text.isascii() else _BEYOND_16_BITS.sub(_halves, text)


def _halves(match: re.Match[str]) -> str:
    above = ord(match.group()) - 0x10000
    return chr(0xD800 + (above >> 10)) + chr(0xDC00 + (above & 0x3FF))


def utf16_units(text: str) -> list[str]:
    """The UTF-16 code units of a string; the halves of a pair are lone surrogates."""
    return list(split_units(text))


def joined_units(text: str) -> str:
    """The string with adjacent surrogate halves combined."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def is_array_index(key: str) -> bool:
    """Whether a key is a canonical integer below 2^32 - 1: such keys come first in an object, in ascending order."""
    return bool(_ARRAY_INDEX.fullmatch(key)) and int(key) <= _MAX_ARRAY_INDEX


def ordered(mapping: Mapping[str, object]) -> Mapping[str, object]:
    """The mapping in JavaScript's key order; the mapping itself when it has that order."""
    # All keys that begin with a digit sort before this character.
    if min(mapping, default=_AFTER_DIGITS) >= _AFTER_DIGITS:
        return mapping
    indices = sorted((key for key in mapping if is_array_index(key)), key=int)
    if not indices:
        return mapping
    result = {key: mapping[key] for key in indices}
    result.update(mapping)
    return result


def ordered_items(mapping: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """`Object.entries(mapping)`."""
    return iter(ordered(mapping).items())


def stringify(value: object) -> str | UndefinedType:
    """`JSON.stringify(value)`: undefined members are omitted, undefined items, NaN and infinities become null."""
    text = _json(value)
    return UNDEFINED if text is None else text


def _json(value: object) -> str | None:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return _json_object(value)
    if isinstance(value, list | tuple):
        return f"[{','.join([_json(item) or 'null' for item in value])}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_to_string(value) if math.isfinite(double(value)) else "null"
    return "null" if value is None else None


def _json_object(value: dict[str, object]) -> str:
    members = []
    for key, member in ordered(value).items():
        text = _quoted(member) if isinstance(member, str) else _json(member)
        if text is not None:
            members.append(f"{_quoted(key)}:{text}")
    return f"{{{','.join(members)}}}"


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    if quoted.isascii() or not _SURROGATE.search(quoted):
        return quoted
    return _SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", joined_units(quoted))


def parse_json(text: str | bytes) -> object:
    """`JSON.parse(text)`; bytes are decoded as UTF-8. Raises ValueError for invalid JSON and a byte order mark."""
    source = text if isinstance(text, str) else text.decode("utf-8", "replace")
    try:
        return _DECODER.decode(source)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < len(str(MAX_SAFE_INTEGER)) else double(float(digits))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    parse_int=_integer, parse_float=lambda digits: double(float(digits)), parse_constant=_no_constant
)


def without_undefined(value: object) -> object:
    """A deep copy without undefined members and members named `__proto__`; undefined items of arrays stay."""
    if isinstance(value, dict):
        source = ordered(value)
        if _SCALARS.issuperset(map(type, source.values())) and "__proto__" not in source:
            return dict(source)
        copy = {}
        for key, member in source.items():
            if member is not UNDEFINED and key != "__proto__":
                copy[key] = without_undefined(member) if isinstance(member, CONTAINERS) else member
        return copy
    if isinstance(value, list):
        return [without_undefined(item) for item in value]
    return value
