"""Splits a template into text, outputs and tags, and removes white space beside hyphens.

The whole template is split before any tag is read: braces within a comment are outputs and tags too, and must be
closed. The content of `raw` alone is one text. An output ends outside of quotes, a tag also within them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator.mapping.liquid.reader import BLANKS, Reader

_OUTPUT_OPENING, _OUTPUT_CLOSING, _TAG_OPENING, _TAG_CLOSING = "{{", "}}", "{%", "%}"
_OPENING = re.compile(r"\{\{|\{%")
_LEADING = re.compile(f"[{BLANKS}]*")
_TRAILING = re.compile(f"(?<![{BLANKS}])[{BLANKS}]*\\Z")


@dataclass(slots=True)
class Token:
    """A part of a template."""

    source: str
    begin: int
    end: int

    @property
    def written(self) -> str:
        return self.source[self.begin : self.end]


@dataclass(slots=True)
class Text(Token):
    """Text, without the white space that the hyphens of its neighbours remove."""

    cut_left: bool = False
    cut_right: bool = False

    @property
    def content(self) -> str:
        kept = self.written
        if self.cut_left:
            kept = kept[_match_end(_LEADING, kept, 0, len(kept)) :]
        return _without_trailing(kept) if self.cut_right else kept


@dataclass(slots=True)
class Markup(Token):
    """An output or a tag: whether it has hyphens, and a reader for what it holds."""

    hyphens: tuple[bool, bool]
    reader: Reader


@dataclass(slots=True)
class OutputToken(Markup):
    """`{{ … }}`."""


@dataclass(slots=True)
class TagToken(Markup):
    """`{% … %}`, or a line of the tag `liquid`; `reader` is behind the name."""

    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = _tag_name(self.reader)
        self.reader.skip_blanks()

    @property
    def arguments(self) -> str:
        return self.reader.source[self.reader.position : self.reader.end]


def _tag_name(reader: Reader) -> str:
    reader.skip_blanks()
    if reader.peek() != "#":
        return reader.name()
    reader.position += 1
    return "#"


def _within(source: str, begin: int, end: int) -> tuple[tuple[bool, bool], Reader]:
    """Whether there are hyphens at both ends, and a reader for what is between them and the white space."""
    left, right = source[begin : begin + 1] == "-", source[max(end - 1, 0) : max(end, 0)] == "-"
    begin, end = begin + left, end - right
    if begin < end:
        begin = _match_end(_LEADING, source, begin, end)
        end = begin + len(_without_trailing(source[begin:end]))
    return (left, right), Reader(source, begin, end)


def _match_end(pattern: re.Pattern[str], source: str, begin: int, end: int) -> int:
    found = pattern.match(source, begin, end)
    return found.end() if found else begin


def _without_trailing(source: str) -> str:
    found = _TRAILING.search(source)
    return source[: found.start()] if found else source


def read_tokens(source: str) -> deque[Token]:
    """The parts of a template. Raises TemplateError for an output, a tag or a `raw` that is not closed.

    Raises LiquidFailure for an escape without its digits in the last, unclosed text of an output.
    """
    return deque(_cut_at_hyphens(list(_Splitter(source).tokens())))


class _Splitter:
    def __init__(self, source: str) -> None:
        self._source = source
        self._reader = Reader(source)
        self._raw_begin: int | None = None

    def tokens(self) -> Iterator[Token]:
        while not self._reader.at_end:
            yield self._next()

    def _next(self) -> Token:
        begin = self._reader.position
        if self._raw_begin is not None:
            return self._raw(begin, self._raw_begin)
        if self._source.startswith(_TAG_OPENING, begin):
            return self._tag(begin)
        if self._source.startswith(_OUTPUT_OPENING, begin):
            return self._output(begin)
        opening = _OPENING.search(self._source, begin)
        self._reader.position = opening.start() if opening else len(self._source)
        return Text(self._source, begin, self._reader.position)

    def _tag(self, begin: int) -> TagToken:
        if not self._reader.past(_TAG_CLOSING):
            raise self._reader.error(f"tag {self._reader.excerpt(begin)} not closed", begin)
        token = self._tag_token(begin)
        if token.name == "raw":
            self._raw_begin = begin
        return token

    def _tag_token(self, begin: int) -> TagToken:
        end = self._reader.position
        token = TagToken(self._source, begin, end, *_within(self._source, begin + 2, end - 2))
        token.reader.check(token.name, "illegal tag syntax, tag name expected")
        return token

    def _output(self, begin: int) -> OutputToken:
        reader = self._reader
        while not reader.at_end:
            if reader.quoted() is not None:
                continue
            reader.position += 1
            if reader.follows(_OUTPUT_CLOSING):
                end = reader.position
                return OutputToken(self._source, begin, end, *_within(self._source, begin + 2, end - 2))
        raise reader.error(f"output {reader.excerpt(begin)} not closed", begin)

    def _raw(self, begin: int, raw_begin: int) -> Token:
        """The content of `raw`, or `endraw` if the position is at it."""
        reader = self._reader
        opening = self._past_opening()
        while not reader.at_end:
            if reader.name() != "endraw":
                opening = self._past_opening()
                continue
            while reader.position <= reader.end:
                if reader.follows(_TAG_CLOSING):
                    if begin == opening:
                        self._raw_begin = None
                        return self._tag_token(begin)
                    reader.position = opening
                    return Text(self._source, begin, opening)
                if reader.follows(_TAG_OPENING):
                    break
                reader.position += 1
        raise reader.error(f"raw {reader.excerpt(raw_begin)} not closed", begin)

    def _past_opening(self) -> int:
        """Moves behind the next `{%` and returns its position."""
        found = self._reader.past(_TAG_OPENING)
        return (self._reader.position if found else -1) - len(_TAG_OPENING)


def _cut_at_hyphens(tokens: list[Token]) -> list[Token]:
    in_raw = False
    for position, token in enumerate(tokens):
        if not isinstance(token, Markup):
            continue
        left, right = token.hyphens
        before = tokens[position - 1] if position else None
        if left and not in_raw and isinstance(before, Text):
            before.cut_right = True
        if isinstance(token, TagToken) and token.name in ("raw", "endraw"):
            in_raw = token.name == "raw"
        after = tokens[position + 1] if position + 1 < len(tokens) else None
        if right and not in_raw and isinstance(after, Text):
            after.cut_left = True
    return tokens


def read_lines(reader: Reader) -> deque[Token]:
    """The tags of `{% liquid %}`, one a line."""
    tokens: deque[Token] = deque()
    while True:
        reader.skip_blanks()
        if reader.at_end:
            return tokens
        begin = reader.position
        reader.past("\n")
        token = TagToken(reader.source, begin, reader.position, *_within(reader.source, begin, reader.position))
        token.reader.check(token.name, "illegal liquid tag syntax")
        tokens.append(token)
