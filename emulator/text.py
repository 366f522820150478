"""Text that databases and JSON readers accept, text without email addresses or Markdown, and excerpts of two texts."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# A syntax error quotes the document around its location. A match begins where a word does, so that a long word without
# an address is read once.
_ADDRESS = re.compile(r"(?<![^\s\"'(),;<>])[^\s\"'(),;<>]*@[^\s\"'(),;<>]*")
_HIDDEN = "***"


def without_addresses(text: str) -> str:
    """The text with `***` in place of each email address, and of anything else with an @."""
    return _ADDRESS.sub(_HIDDEN, text)


def whole_characters(text: str) -> str:
    """The text with U+FFFD in place of each half of a surrogate pair, which no database stores."""
    return _SURROGATE.sub("\ufffd", text)


def counted_noun(number: int, one: str, many: str | None = None) -> str:
    """`1 error`, `2,000 errors`; `many` is the plural of a word that does not simply take an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def on_one_line(text: str) -> str:
    """The text with each line break and other control character as Python spells it, such as `\\n`."""
    return _CONTROL.sub(lambda control: repr(control[0])[1:-1], whole_characters(text))


def escaped_markdown(text: str) -> str:
    """The text for a line or a cell of Markdown, without anything that Markdown would format."""
    # GitHub makes links of #1 and @name.
    # A backslash of the text would take the effect of one that is added here.
    shown = text.replace("&", "&amp;").replace("#", "&#35;").replace("\\", "&#92;").replace("~", "&#126;")
    shown = shown.replace("<", "&lt;").replace("|", "\\|").replace("\n", " ").replace("\r", " ")
    return shown.replace("`", "\\`").replace("*", "\\*").replace("_", "\\_").replace("[", "\\[").replace("@", "&#64;")


def is_storable(text: str) -> bool:
    """False for text with U+0000 or half of a surrogate pair: JSON can spell them, databases refuse them."""
    return "\x00" not in text and (text.isascii() or _SURROGATE.search(text) is None)


def excerpts(left: str, right: str, around: int) -> tuple[str, str]:
    """Both texts around the first character that differs, with `around` characters on each side."""
    pairs = enumerate(zip(left, right, strict=False))
    start = next((index for index, (one, other) in pairs if one != other), min(len(left), len(right)))
    begin, end = max(0, start - around), start + around
    first, second = (
        f"{'…' if begin else ''}{text[begin:end]}{'…' if len(text) > end else ''}" for text in (left, right)
    )
    return first, second
