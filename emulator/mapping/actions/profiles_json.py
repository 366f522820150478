"""The profiles of a request: `JSON.stringify` with quotes escaped, as the destination writes them between quotes.

A batch repeats the same names in each profile, and nearly all values are strings that JSON writes unchanged: then one
format a set of names gives the text. Otherwise Python's encoder is used where it prints the same as JavaScript's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from emulator.mapping.javascript.values import MAX_SAFE_INTEGER, is_array_index, stringify

Profile: TypeAlias = dict[str, Any]

_PLAIN_TYPES = frozenset({str, bool, type(None)})
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SHORT_FROM = 1e-4
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def escaped_json(value: object) -> str:
    """The JSON of a value with `"` written `\\"`, for use between quotes in a document."""
    return str(stringify(value)).replace('"', '\\"')


def escaped_profiles(profiles: Sequence[Profile]) -> str:
    """The escaped JSON of the profiles."""
    every_names = set(map(tuple, profiles))
    formats = {names: form for names in every_names if (form := _format(names))}
    if len(formats) == len(every_names):
        if _are_written_unchanged(profiles):
            return f"[{','.join([formats[tuple(profile)] % tuple(profile.values()) for profile in profiles])}]"
        if all(map(_prints_as_python, profiles)):
            text = _ENCODER.encode(list(profiles))
            if not _has_lone_surrogate(text):
                return text.replace('"', '\\"')
    if len(profiles) > 1:  # an unusual profile does not slow down the others
        return f"[{','.join([escaped_profiles([profile])[1:-1] for profile in profiles])}]"
    return escaped_json(list(profiles))


def _are_written_unchanged(profiles: Sequence[Profile]) -> bool:
    """Whether all values are strings without characters that JSON escapes."""
    try:
        text = "".join(chain.from_iterable(map(dict.values, profiles)))
    except TypeError:  # not all are strings
        return False
    return len(encode_basestring(text)) == len(f'"{text}"') and not _has_lone_surrogate(text)


@lru_cache(maxsize=256)
def _format(names: tuple[str, ...]) -> str | None:
    """A profile with these names, with `%s` for its values; None if JavaScript has the names in another order."""
    if any(map(is_array_index, names)):
        return None
    written = (escaped_json(name).replace("%", "%%") for name in names)
    return "{" + ",".join(f'{name}:\\"%s\\"' for name in written) + "}"


def _prints_as_python(profile: Profile) -> bool:
    """Whether Python's encoder writes the values as JavaScript does."""
    values = profile.values()
    if _PLAIN_TYPES.issuperset(map(type, values)):
        return True
    return all(type(value) in _PLAIN_TYPES or _is_short_number(value) for value in values)


def _is_short_number(value: object) -> bool:
    """Whether a value is a number that both languages write with the same digits and without an exponent."""
    if type(value) is int:
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
    return type(value) is float and _SHORT_FROM <= abs(value) < MAX_SAFE_INTEGER and not value.is_integer()


def _has_lone_surrogate(text: str) -> bool:
    return not text.isascii() and _LONE_SURROGATE.search(text) is not None
