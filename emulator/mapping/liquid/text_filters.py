"""LiquidJS filters for strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from emulator.mapping.javascript.values import UNDEFINED, WHITESPACE, joined_units, trim, truthy
from emulator.mapping.liquid.rendering import Context, Filter
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.values import ceiling, strict_number, text, units, whole

_SPACES = re.compile(f"[{WHITESPACE}]+")
_NEWLINE = re.compile(r"\r?\n")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_UNESCAPES = {entity: character for character, entity in _ESCAPES.items()}
_ENTITY = re.compile("|".join(_UNESCAPES))
_MARKUP = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">"))
_CJK = "\u4e00-\u9fff\uf900-\ufaff\u3400-\u4dbf\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af"
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_OTHER_WORD = re.compile(f"[^{_CJK}{WHITESPACE}]+")
_LENGTH, _WORDS, _ELLIPSIS = 50, 15, "..."


def counted(context: Context, value: object, *others: object) -> str:
    """A value as text; its length and that of the other texts count against the memory limit."""
    source = text(value)
    context.use(sum(map(len, (source, *map(text, others)))))
    return source


def of_text(function: Callable[[str], object]) -> Filter:
    """A filter without arguments."""
    return lambda context, value: function(counted(context, value))


def recased(change: Callable[[str], str], source: str) -> str:
    """Changes the case of characters, not of UTF-16 units."""
    return units(change(joined_units(source)))


def escape(source: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in source)


def escape_once(context: Context, value: object) -> str:
    plain_text = _ENTITY.sub(lambda entity: _UNESCAPES[entity.group()], counted(context, value))
    return escape(counted(context, plain_text))


def strip_html(source: str) -> str:
    """Removes script, style and comment blocks, and tags from `<` to the next `>`; unclosed ones stay."""
    kept, at = [], 0
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


def _two_texts(name: str, joined: Callable[[str, str], str]) -> Filter:
    def function(context: Context, value: object, *arguments: object) -> str:
        if len(arguments) != 1:
            raise LiquidFailure(f"{name} expect 2 arguments")
        return joined(counted(context, value, arguments[0]), text(arguments[0]))

    return function


def _stripping(strip: Callable[[str, str], str]) -> Filter:
    """Removes characters of the argument, by default white space."""

    def function(context: Context, value: object, characters: object = UNDEFINED) -> str:
        source = counted(context, value)
        if not truthy(characters):
            return strip(source, WHITESPACE)
        removed = text(characters)
        context.use(len(removed))
        return units(strip(joined_units(source), joined_units(removed)))

    return function


def capitalize(source: str) -> str:
    return recased(str.upper, source[:1]) + recased(str.lower, source[1:])


def pieces(source: str, separator: str) -> list[str]:
    """`source.split(separator)`: an empty separator splits into UTF-16 units."""
    return source.split(separator) if separator else list(source)


def split(context: Context, value: object, separator: object = UNDEFINED) -> list[str]:
    """The parts, without empty ones at the end."""
    found = pieces(counted(context, value), text(separator))
    while found and not found[-1]:
        found.pop()
    return found


def replace(context: Context, value: object, pattern: object = UNDEFINED, replacement: object = UNDEFINED) -> str:
    source, target, between = text(value), text(pattern), text(replacement)
    kept = pieces(source, target)
    context.use(len(source) + (len(kept) - 1) * (len(between) - len(target)))
    return between.join(kept)


def replace_first(context: Context, value: object, pattern: object = UNDEFINED, new: object = UNDEFINED) -> str:
    return counted(context, value, pattern, new).replace(text(pattern), text(new), 1)


def replace_last(context: Context, value: object, pattern: object = UNDEFINED, new: object = UNDEFINED) -> str:
    source, target = counted(context, value, pattern, new), text(pattern)
    at = source.rfind(target)
    return source if at < 0 else source[:at] + text(new) + source[at + len(target) :]


def remove(context: Context, value: object, pattern: object = UNDEFINED) -> str:
    return "".join(pieces(counted(context, value, pattern), text(pattern)))


def _or(default: object, argument: object) -> object:
    """An argument without a value counts as omitted."""
    return default if argument is UNDEFINED else argument


def code_points(source: str) -> list[str]:
    """The characters of a string; those beyond U+FFFF are one each."""
    return list(joined_units(source))


def truncate(context: Context, value: object, length: object = UNDEFINED, ellipsis: object = UNDEFINED) -> object:
    """The first characters including the ellipsis; a short value is unchanged, even a number."""
    end = _or(_ELLIPSIS, ellipsis)
    source = counted(context, value, end)
    longest = strict_number(_or(_LENGTH, length))
    characters = code_points(source)
    if len(source) <= longest or ceiling(longest) >= len(characters):
        return value
    kept = ceiling(longest - len(code_points(text(end))))
    return units("".join(characters[:kept])) + text(end)


def truncatewords(context: Context, value: object, words: object = UNDEFINED, ellipsis: object = UNDEFINED) -> str:
    """The first words; the ellipsis is added even if there are exactly as many words as allowed."""
    end = _or(_ELLIPSIS, ellipsis)
    found = _SPACES.split(counted(context, value, end).lstrip(WHITESPACE))
    longest = strict_number(_or(_WORDS, words))
    longest = 1 if longest <= 0 else longest
    return " ".join(found[: whole(longest)]) + (text(end) if len(found) >= longest else "")


def number_of_words(context: Context, value: object, mode: object = UNDEFINED) -> int:
    source = trim(joined_units(counted(context, value)))
    if not source:
        return 0
    characters = len(_CJK_CHARACTER.findall(source))
    if mode == "cjk" or (mode == "auto" and characters):
        return characters + len(_OTHER_WORD.findall(source))
    return len(_SPACES.split(source))


TEXT_FILTERS: Mapping[str, Filter] = {
    "append": _two_texts("append", lambda source, argument: source + argument),
    "capitalize": of_text(capitalize),
    "downcase": of_text(lambda source: recased(str.lower, source)),
    "escape": of_text(escape),
    "escape_once": escape_once,
    "lstrip": _stripping(str.lstrip),
    "normalize_whitespace": of_text(lambda source: _SPACES.sub(" ", source)),
    "number_of_words": number_of_words,
    "prepend": _two_texts("prepend", lambda source, argument: argument + source),
    "remove": remove,
    "remove_first": lambda context, value, pattern=UNDEFINED: replace_first(context, value, pattern),
    "remove_last": lambda context, value, pattern=UNDEFINED: replace_last(context, value, pattern),
    "replace": replace,
    "replace_first": replace_first,
    "replace_last": replace_last,
    "rstrip": _stripping(str.rstrip),
    "split": split,
    "squish": of_text(lambda source: trim(_SPACES.sub(" ", source))),
    "strip": _stripping(str.strip),
    "strip_html": of_text(strip_html),
    "strip_newlines": of_text(lambda source: _NEWLINE.sub("", source)),
    "truncate": truncate,
    "truncatewords": truncatewords,
    "upcase": of_text(lambda source: recased(str.upper, source)),
    "xml_escape": of_text(escape),
}
