"""LiquidJS filters that encode: URLs, base64, digests, JSON."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote_to_bytes

from emulator.mapping.javascript.prototypes import OBJECT_MEMBERS
from emulator.mapping.javascript.values import (
    UNDEFINED,
    WHITESPACE,
    is_number,
    joined_units,
    ordered_items,
    stringify,
    to_string,
    truthy,
)
from emulator.mapping.liquid.drops import Drop
from emulator.mapping.liquid.rendering import Context, Filter
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.text_filters import counted, of_text
from emulator.mapping.liquid.values import text, units, whole

_COMPONENT_SAFE = "-_.!~*'()"
_URI_SAFE = _COMPONENT_SAFE + ";/?:@&=+$,#"
_CGI_RESERVED = re.compile("[!'()*]")
_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
_ESCAPED_BYTES = re.compile("(?:%[0-9a-fA-F]{2})+")
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
        raise LiquidFailure("URI malformed") from None


def url_encode(value: object) -> str:
    return _quoted(text(value), _COMPONENT_SAFE).replace("%20", "+")


def cgi_escape(value: object) -> str:
    return _CGI_RESERVED.sub(lambda reserved: f"%{ord(reserved.group()):02X}", url_encode(value))


def uri_escape(value: object) -> str:
    return _quoted(text(value), _URI_SAFE).replace("%5B", "[").replace("%5D", "]")


def url_decode(value: object) -> str:
    source = text(value).replace("+", " ")
    if _BAD_ESCAPE.search(source):
        raise LiquidFailure("URI malformed")
    try:
        return _ESCAPED_BYTES.sub(lambda escaped: unquote_to_bytes(escaped.group()).decode("utf-8"), source)
    except UnicodeDecodeError:
        raise LiquidFailure("URI malformed") from None


def slugify(value: object, mode: object = "default", cased: object = False) -> str:
    """Replaces runs of characters that the mode does not keep by one hyphen."""
    source = joined_units(text(value))
    name = to_string("default" if mode is UNDEFINED else mode)
    kept = _KEPT.get(name)
    if kept is not None:
        if name == "latin":
            source = source.translate(_ACCENTS)
        marked = "".join(character if kept(character) else "\0" for character in source)
        source = re.sub("\0+", "-", marked)
    # LiquidJS also finds the names that every JavaScript object has; these match nothing.
    if kept is not None or name in OBJECT_MEMBERS:
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


def base64_encode(source: str) -> str:
    return base64.b64encode(_utf8(source)).decode("ascii")


def base64_decode(source: str) -> str:
    source = _BASE64_SPACE.sub("", source)
    if len(source) % 4 == 0:
        source = source.removesuffix("=").removesuffix("=")
    if len(source) % 4 == 1 or not _BASE64.fullmatch(source):
        raise LiquidFailure("invalid base64 provided to base64_decode")
    return base64.b64decode(source + "=" * (-len(source) % 4)).decode("utf-8", "replace")


def hmac_sha256(context: Context, value: object, key: object = UNDEFINED) -> str:
    return hmac.new(_utf8(text(key)), _utf8(counted(context, value, key)), hashlib.sha256).hexdigest()


def json(context: Context, value: object, space: object = UNDEFINED) -> object:
    """`JSON.stringify(value, null, space)`; `space` is a number of spaces or a string, at most ten characters."""
    value = _counted_json(context, value)
    step = " " * min(whole(space), _LONGEST_INDENT) if is_number(space) else ""
    if isinstance(space, str):
        step = units(space)[:_LONGEST_INDENT]
    return _indented(value, step, "\n") if step else stringify(value)


def _counted_json(context: Context, value: object) -> object:
    """The value with `{}` for the words `nil`, `empty` and `blank`; counts what it is made of."""
    if isinstance(value, Drop):
        value = {}
    if isinstance(value, dict):
        context.use(2)
        return {key: _counted_json(context, member) for key, member in value.items()}
    if isinstance(value, list):
        context.use(len(value) + 1)
        return [_counted_json(context, item) for item in value]
    context.use(len(value) if isinstance(value, str) else len(str(stringify(value))))
    return value


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


ENCODING_FILTERS: Mapping[str, Filter] = {
    "base64_decode": of_text(base64_decode),
    "base64_encode": of_text(base64_encode),
    "cgi_escape": lambda _context, value: cgi_escape(value),
    "hmac_sha256": hmac_sha256,
    **dict.fromkeys(("inspect", "json", "jsonify"), json),
    "sha256": of_text(lambda source: hashlib.sha256(_utf8(source)).hexdigest()),
    "slugify": lambda _context, value, mode="default", cased=False: slugify(value, mode, cased),
    "uri_escape": lambda _context, value: uri_escape(value),
    "url_decode": lambda _context, value: url_decode(value),
    "url_encode": lambda _context, value: url_encode(value),
}
