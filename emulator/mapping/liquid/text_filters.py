"""LiquidJS filters for strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from emulator.mapping.javascript.values import UNDEFINED, WHITESPACE, joined_units, trim, truthy, utf16_units
from emulator.mapping.liquid.values import FilterError, ceiling, check_size, strict_number, text, whole

_SPACES = re.compile(f"[{WHITESPACE}]+")
_NEWLINE = re.compile(r"\r?\n")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_UNESCAPES = {entity: character for character, entity in _ESCAPES.items()}
_ENTITY = re.compile("|".join(_UNESCAPES))
_MARKUP = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">"))
_CJK = "\u4e00-\u9fff\uf900-\ufaff\u3400-\u4dbf\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af"
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_OTHER_WORD = re.compile(f"[^{_CJK}{WHITESPACE}]+")
_NOT_GIVEN = object()
_LENGTH, _WORDS, _ELLIPSIS = 50, 15, "..."


def escape(value: object) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text(value))


def escape_once(value: object) -> str:
    return escape(_ENTITY.sub(lambda entity: _UNESCAPES[entity.group()], text(value)))


def strip_html(value: object) -> str:
    """Removes script, style and comment blocks, and tags from `<` to the next `>`; unclosed ones stay."""
    source, kept, at = text(value), [], 0
    while (opening := source.find("<", at)) >= 0:
        kept.append(source[at:opening])
        at = _end_of_markup(source, opening)
        if at <= opening:
            return "".join((*kept, source[opening:]))
    return "".join((*kept, source[at:]))


def _end_of_markup(source: str, opening: int) -> int:
    for start, end in _MARKUP:
        if source.startswith(start, opening):
            closing = source.find(end, opening + len(start))
            if closing >= 0:
                return closing + len(end)
    return opening


def _joined(first: str, second: str) -> str:
    check_size(len(first) + len(second))
    return first + second


def _given(name: str, argument: object) -> object:
    if argument is _NOT_GIVEN:
        raise FilterError(f"{name} expect 2 arguments")
    return argument


def _stripped(characters: object) -> str:
    return text(characters) if truthy(characters) else WHITESPACE


def capitalize(value: object) -> str:
    source = text(value)
    return source[:1].upper() + source[1:].lower()


def pieces(source: str, separator: str) -> list[str]:
    """`source.split(separator)`: an empty separator splits into UTF-16 units."""
    return source.split(separator) if separator else utf16_units(source)


def split(value: object, separator: object = UNDEFINED) -> list[str]:
    """The parts, without empty ones at the end."""
    found = pieces(text(value), text(separator))
    while found and not found[-1]:
        found.pop()
    return found


def replace(value: object, pattern: object = UNDEFINED, replacement: object = UNDEFINED) -> str:
    kept, between = pieces(text(value), text(pattern)), text(replacement)
    check_size(sum(map(len, kept)) + len(kept) * len(between))
    return joined_units(between.join(kept))


def replace_first(value: object, pattern: object = UNDEFINED, replacement: object = UNDEFINED) -> str:
    return text(value).replace(text(pattern), text(replacement), 1)


def replace_last(value: object, pattern: object = UNDEFINED, replacement: object = UNDEFINED) -> str:
    source, target = text(value), text(pattern)
    at = source.rfind(target)
    return source if at < 0 else source[:at] + text(replacement) + source[at + len(target) :]


def _or(default: object, argument: object) -> object:
    """An argument without a value counts as omitted."""
    return default if argument is UNDEFINED else argument


def truncate(value: object, length: object = UNDEFINED, ellipsis: object = UNDEFINED) -> object:
    """The first characters including the ellipsis; a short value is unchanged, even a number."""
    source, end = text(value), text(_or(_ELLIPSIS, ellipsis))
    longest = ceiling(_or(_LENGTH, length))
    if len(source) <= longest:
        return value
    return source[: max(longest - len(end), 0)] + end


def truncatewords(value: object, words: object = UNDEFINED, ellipsis: object = UNDEFINED) -> str:
    """The first words; the ellipsis is added even if there are exactly as many words as allowed."""
    found = _SPACES.split(text(value).lstrip(WHITESPACE))
    longest = strict_number(_or(_WORDS, words))
    longest = 1 if longest <= 0 else longest
    return " ".join(found[: whole(longest)]) + (text(_or(_ELLIPSIS, ellipsis)) if len(found) >= longest else "")


def number_of_words(value: object, mode: object = UNDEFINED) -> int:
    source = trim(text(value))
    if not source:
        return 0
    characters = len(_CJK_CHARACTER.findall(source))
    if mode == "cjk" or (mode == "auto" and characters):
        return characters + len(_OTHER_WORD.findall(source))
    return len(_SPACES.split(source))


TEXT_FILTERS: Mapping[str, Callable[..., object]] = {
    "append": lambda value, suffix=_NOT_GIVEN: _joined(text(value), text(_given("append", suffix))),
    "capitalize": capitalize,
    "downcase": lambda value: text(value).lower(),
    "escape": escape,
    "escape_once": escape_once,
    "lstrip": lambda value, characters=UNDEFINED: text(value).lstrip(_stripped(characters)),
    "normalize_whitespace": lambda value: _SPACES.sub(" ", text(value)),
    "number_of_words": number_of_words,
    "prepend": lambda value, prefix=_NOT_GIVEN: _joined(text(_given("prepend", prefix)), text(value)),
    "remove": lambda value, pattern=UNDEFINED: replace(value, pattern),
    "remove_first": lambda value, pattern=UNDEFINED: replace_first(value, pattern),
    "remove_last": lambda value, pattern=UNDEFINED: replace_last(value, pattern),
    "replace": replace,
    "replace_first": replace_first,
    "replace_last": replace_last,
    "rstrip": lambda value, characters=UNDEFINED: text(value).rstrip(_stripped(characters)),
    "split": split,
    "squish": lambda value: trim(_SPACES.sub(" ", text(value))),
    "strip": lambda value, characters=UNDEFINED: text(value).strip(_stripped(characters)),
    "strip_html": strip_html,
    "strip_newlines": lambda value: _NEWLINE.sub("", text(value)),
    "truncate": truncate,
    "truncatewords": truncatewords,
    "upcase": lambda value: text(value).upper(),
    "xml_escape": escape,
}
