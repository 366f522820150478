"""LiquidJS filters that encode: URLs, base64, digests, JSON."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote_to_bytes

from liquid.builtin.expressions.primitive import Blank, Empty, Nil

from emulator.mapping.javascript.values import (
    UNDEFINED,
    WHITESPACE,
    is_number,
    joined_units,
    ordered_items,
    stringify,
    truthy,
    utf16_units,
)
from emulator.mapping.liquid.values import FilterError, plain, text, whole

_COMPONENT_SAFE = "-_.!~*'()"
_URI_SAFE = _COMPONENT_SAFE + ";/?:@&=+$,#"
_CGI_RESERVED = re.compile("[!'()*]")
_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
_BASE64 = re.compile("[A-Za-z0-9+/]*")
_BASE64_SPACE = re.compile("[\t\n\f\r ]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_INDENT = 10
_PRETTY_KEPT = frozenset("._~!$&'()+,;=@")
_ACCENTED = "a:àáâãäå e:èéêë i:ìíîï o:òóôõöø u:ùúûü y:ýÿ ae:æ c:ç d:ð n:ñ ss:ß oe:œ th:þ SS:ẞ OE:Œ TH:Þ"
_ACCENTS = {
    ord(letter): plain for plain, letters in (group.split(":") for group in _ACCENTED.split()) for letter in letters
}


def _quoted(source: str, safe: str) -> str:
    try:
        return quote(joined_units(source), safe=safe)
    except UnicodeEncodeError:
        raise FilterError("URI malformed") from None


def url_encode(value: object) -> str:
    return _quoted(text(value), _COMPONENT_SAFE).replace("%20", "+")


def cgi_escape(value: object) -> str:
    return _CGI_RESERVED.sub(lambda reserved: f"%{ord(reserved.group()):02X}", url_encode(value))


def uri_escape(value: object) -> str:
    return _quoted(text(value), _URI_SAFE).replace("%5B", "[").replace("%5D", "]")


def url_decode(value: object) -> str:
    source = text(value).replace("+", " ")
    try:
        if _BAD_ESCAPE.search(source):
            raise FilterError("URI malformed")
        return unquote_to_bytes(source).decode("utf-8")
    except UnicodeError:
        raise FilterError("URI malformed") from None


def slugify(value: object, mode: object = "default", cased: object = False) -> str:
    """Replaces runs of characters that the mode does not keep by one hyphen."""
    source = text(value)
    kept = _KEPT.get(mode) if isinstance(mode, str) else None
    if kept is not None:
        if mode == "latin":
            source = source.translate(_ACCENTS)
        marked = "".join(character if kept(character) else "\0" for character in source)
        source = re.sub("\0+", "-", marked)
        source = source.removeprefix("-").removesuffix("-")
    return source if truthy(cased) else source.lower()


def _is_letter_or_digit(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd"


_KEPT: Mapping[str, Callable[[str], bool]] = {
    "raw": lambda character: character not in WHITESPACE,
    "default": _is_letter_or_digit,
    "latin": _is_letter_or_digit,
    "pretty": lambda character: _is_letter_or_digit(character) or character in _PRETTY_KEPT,
    "ascii": lambda character: character.isascii() and character.isalnum(),
}


def _utf8(source: str) -> bytes:
    return _SURROGATE.sub("\ufffd", joined_units(source)).encode("utf-8")


def base64_decode(value: object) -> str:
    source = _BASE64_SPACE.sub("", text(value))
    if len(source) % 4 == 0:
        source = source.removesuffix("=").removesuffix("=")
    if len(source) % 4 == 1 or not _BASE64.fullmatch(source):
        raise FilterError("invalid base64 provided to base64_decode")
    return base64.b64decode(source + "=" * (-len(source) % 4)).decode("utf-8", "replace")


def hmac_sha256(value: object, key: object = UNDEFINED) -> str:
    return hmac.new(_utf8(text(key)), _utf8(text(value)), hashlib.sha256).hexdigest()


ENCODING_FILTERS: Mapping[str, Callable[..., object]] = {
    "base64_decode": base64_decode,
    "base64_encode": lambda value: base64.b64encode(_utf8(text(value))).decode("ascii"),
    "cgi_escape": cgi_escape,
    "hmac_sha256": hmac_sha256,
    "sha256": lambda value: hashlib.sha256(_utf8(text(value))).hexdigest(),
    "slugify": slugify,
    "uri_escape": uri_escape,
    "url_decode": url_decode,
    "url_encode": url_encode,
}


def json_value(value: object) -> object:
    """The value of an argument; LiquidJS serializes the words `nil`, `empty` and `blank` as empty objects."""
    return {} if isinstance(value, Nil | Empty | Blank) else plain(value)


def json(value: object, space: object = 0) -> object:
    """`JSON.stringify(value, null, space)`; `space` is a number of spaces or a string, at most ten characters."""
    step = " " * min(whole(space), _LONGEST_INDENT) if is_number(space) else ""
    if isinstance(space, str):
        step = "".join(utf16_units(space)[:_LONGEST_INDENT])
    return _indented(value, step, "\n") if step else stringify(value)


def _indented(value: object, step: str, newline: str) -> object:
    deeper = newline + step
    if isinstance(value, dict):
        members = ((key, _indented(member, step, deeper)) for key, member in ordered_items(value))
        return _enclosed(
            "{}", [f"{stringify(key)}: {text}" for key, text in members if text is not UNDEFINED], newline, step
        )
    if isinstance(value, list):
        items = (_indented(item, step, deeper) for item in value)
        return _enclosed("[]", ["null" if text is UNDEFINED else str(text) for text in items], newline, step)
    return stringify(value)


def _enclosed(brackets: str, parts: list[str], newline: str, step: str) -> str:
    if not parts:
        return brackets
    deeper = newline + step
    return f"{brackets[0]}{deeper}{f',{deeper}'.join(parts)}{newline}{brackets[1]}"


JSON_FILTERS: Mapping[str, Callable[..., object]] = {"inspect": json, "json": json, "jsonify": json}
