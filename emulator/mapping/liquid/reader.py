"""Reads names, values, operators and filters from a template, character by character as LiquidJS does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from emulator.mapping.javascript.values import joined_units, stringify, to_number
from emulator.mapping.liquid.drops import WORDS
from emulator.mapping.liquid.expressions import (
    Argument,
    Constant,
    Expression,
    FilterCall,
    Operand,
    Property,
    Range,
    in_postfix_order,
)
from emulator.mapping.liquid.quoted import unquoted
from emulator.mapping.liquid.template_errors import TemplateError

BLANKS = "\t\n\v\f\r \xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White space, for a character class. Unlike JavaScript's it lacks U+FEFF and has U+180E."""

_WORD = f"(?:[A-Za-z0-9_?-]|[^\\x00-\\x7f{BLANKS}\u201c\u201d])"
_SPACE = re.compile(f"[{BLANKS}]*")
_NAME = re.compile(f"{_WORD}*")
_BOUNDARY = f"(?!{_WORD})"
_OPERATOR = re.compile(f"==|!=|>=|<=|>|<|(?:contains|not|and|or){_BOUNDARY}")
_LITERAL = re.compile(f"(?:true|false|nil|null|empty|blank){_BOUNDARY}")
_DIGITS = "0123456789"
_SIGNS = "+-"
_QUOTES = "'\""
_LONGEST_EXCERPT = 32


class Reader:
    """A position in a template, and the end of the part that is read."""

    def __init__(self, source: str, begin: int = 0, end: int | None = None) -> None:
        self.source = source
        self.position = begin
        self.end = len(source) if end is None else end

    @property
    def at_end(self) -> bool:
        return self.position >= self.end

    def peek(self, ahead: int = 0) -> str:
        """A character, empty behind the end."""
        position = self.position + ahead
        return self.source[position] if position < self.end else ""

    def error(self, problem: str, position: int | None = None) -> TemplateError:
        return TemplateError("TokenizationError", problem, self.source, self.position if position is None else position)

    def check(self, fits: object, problem: str) -> None:
        if not fits:
            raise self.error(problem)

    def excerpt(self, begin: int | None = None) -> str:
        """The rest in quotes, shortened."""
        rest = self.source[self.position if begin is None else begin : self.end]
        if len(rest) > _LONGEST_EXCERPT:
            rest = f"{rest[: _LONGEST_EXCERPT - 3]}..."
        return str(stringify(rest))

    def skip_blanks(self) -> None:
        if found := _SPACE.match(self.source, self.position, max(self.end, self.position)):
            self.position = found.end()

    def name(self) -> str:
        """An identifier, which may be empty. It may hold hyphens and question marks, and begin with either."""
        self.skip_blanks()
        return self._matched(_NAME) or ""

    def past(self, ending: str) -> bool:
        """Moves behind the next occurrence of a string, or to the end if there is none."""
        while self.position < self.end:
            self.position += 1
            if self.follows(ending):
                return True
        return False

    def follows(self, ending: str) -> bool:
        """Whether the position is right behind this string."""
        return self.source.endswith(ending, 0, max(self.position, 0))

    def _matched(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.source, self.position, max(self.end, self.position))
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    def filtered_value(self) -> Expression:
        """An expression with its filters; what follows a comma or a closing parenthesis is ignored."""
        begin = self.position
        postfix = in_postfix_order(self._terms())
        self.check(postfix, f"invalid value expression: {self.excerpt()}")
        filters = tuple(self._filters())
        return Expression(postfix, filters, self.source[begin : self.position])

    def _terms(self) -> Iterator[Operand | str]:
        while self.position < self.end:
            self.skip_blanks()
            term = self._matched(_OPERATOR) or self.value()
            if term is None:
                return
            yield term

    def _filters(self) -> Iterator[FilterCall]:
        while (found := self._filter()) is not None:
            yield found

    def _filter(self) -> FilterCall | None:
        self.skip_blanks()
        if self.at_end or self.peek() in "),":
            return None
        pipe = self.peek()
        self.position += 1
        self.check(pipe == "|", 'expected "|" before filter')
        name = self.name()
        if not name:
            self.check(self.at_end, "expected filter name")
            return None
        arguments: list[Argument] = []
        self.skip_blanks()
        if self.peek() == ":":
            arguments.extend(self._arguments())
        elif self.peek() not in "|),":
            raise self.error('expected ":" after filter name')
        return FilterCall(joined_units(name), tuple(arguments))

    def _arguments(self) -> Iterator[Argument]:
        separator = ":"
        while self.peek() == separator:
            self.position += 1
            separator = ","
            argument = self._argument()
            if argument is not None:
                yield argument
            self.skip_blanks()
            self.check(self.peek() in ",|)", f"unexpected character {self.excerpt()}")

    def _argument(self) -> Argument | None:
        self.skip_blanks()
        begin = self.position
        value = self.value()
        if value is None:
            return None
        written = self.source[begin : self.position]
        self.skip_blanks()
        if self.peek() != ":":
            return Argument(value)
        self.position += 1
        return Argument(self.value(), name=written)

    def value(self) -> Operand | None:
        """A word, text, number, range or variable with its properties; None if there is none."""
        self.skip_blanks()
        begin = self.position
        found: Operand | None = self._literal() or self.quoted() or self._number()
        if found is None and self.peek() == "(":
            found = self._range()
        properties = self._properties(starts=found is None)
        return Property(found, properties, self.source, begin) if properties else found

    def needed_value(self) -> Operand:
        found = self.value()
        if found is None:
            raise self.error(f"unexpected token {self.excerpt()}, value expected")
        return found

    def scope_value(self) -> Operand | None:
        """A variable with its properties, of which the first may be a number."""
        self.skip_blanks()
        begin = self.position
        properties = self._properties(starts=True)
        return Property(None, properties, self.source, begin) if properties else None

    def _literal(self) -> Constant | None:
        word = self._matched(_LITERAL)
        return None if word is None else Constant(WORDS["nil" if word == "null" else word])

    def quoted(self) -> Constant | None:
        """Text in quotes. Without the closing one it extends to the end, and its last character is lost."""
        self.skip_blanks()
        begin = self.position
        if not self.peek() or self.peek() not in _QUOTES:
            return None
        self._skip_quoted()
        return Constant(unquoted(self.source[begin : self.position]))

    def _skip_quoted(self) -> None:
        quote, escaped = self.peek(), False
        self.position += 1
        while self.position < self.end:
            character = self.peek()
            self.position += 1
            if character == quote and not escaped:
                return
            escaped = character == "\\" and not escaped

    def _number(self) -> Constant | None:
        length = 1 if self._is(_SIGNS, 0) else 0
        digits = points = 0
        while True:
            if self._is(_DIGITS, length):
                digits += 1
            elif self.peek(length) == "." and self.peek(length + 1) != ".":
                if points or not digits:
                    return None
                points += 1
            else:
                break
            length += 1
        if not digits or _NAME.fullmatch(self.peek(length) or " "):
            return None
        self.position += length
        return Constant(to_number(self.source[self.position - length : self.position]))

    def _is(self, characters: str, ahead: int) -> bool:
        return bool(self.peek(ahead)) and self.peek(ahead) in characters

    def _range(self) -> Range:
        self.position += 1
        low = self.needed_value()
        self.skip_blanks()
        if self.peek() != "." or self.peek(1) != ".":
            raise self.error("invalid range syntax")
        self.position += 2
        high = self.needed_value()
        self.skip_blanks()
        closing = self.source[self.position : self.position + 1]
        self.position += 1
        self.check(closing == ")", "invalid range syntax")
        return Range(low, high)

    def _properties(self, *, starts: bool) -> tuple[Operand, ...]:
        found: list[Operand] = []
        while True:
            if self.peek() == "[":
                self.position += 1
                found.append(self.value() or Constant(""))
                self.check(self.past("]"), "[ not closed")
            elif starts and not found and (name := self.name()):
                found.append(Constant(joined_units(name)))
            elif self.peek() == "." and self.peek(1) != ".":
                self.position += 1
                if not (name := self.name()):
                    break
                found.append(Constant(joined_units(name)))
            else:
                break
        return tuple(found)
