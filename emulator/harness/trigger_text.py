"""A trigger as its author meant it: conditions, parentheses, `and` and `or`, whatever quotes and operators are written.

Segment's engine skips what it does not know and reads on, so its own reading says little about a mistake.
`read_trigger` reads the same text leniently and says what the engine does not read as written. The result is printed as
FQL that the engine reads in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from emulator.harness.trigger_tokens import (
    CLOSE,
    COMMA,
    JOIN,
    NOT,
    NUMBER,
    OPEN,
    OPERATOR,
    STRING,
    WORD,
    Token,
    tokens_of,
)
from emulator.harness.trigger_tree import (
    FUNCTIONS,
    Comparison,
    Correction,
    Item,
    Level,
    flat,
    joined,
    quoted,
    unwrapped,
)

ALLOWED_OPERATORS = '=, !=, <, <=, >, >=, contains(field, "text"), match(field, "start*"), and ! before these two'
_ROOTS = ("type", "event", "name", "userId", "properties", "traits", "context")
_NAMES = {
    "event type": "type",
    "event name": "event",
    "message type": "type",
    "eventtype": "type",
    "eventname": "event",
    "event_name": "event",
    "event_type": "type",
    "event.type": "type",
    "event.name": "event",
    "event.event": "event",
    "user id": "userId",
    "user_id": "userId",
    "property": "properties",
    "trait": "traits",
}
_PREFIXES = ("$.", "message.")
_WORDED = {
    "is not equal to": "!=", "does not equal": "!=", "is not": "!=", "not equals": "!=", "neq": "!=", "ne": "!=",
    "is equal to": "=", "equal to": "=", "equals": "=", "equal": "=", "is": "=", "eq": "=",
    "does not contain": "not_contains", "not contains": "not_contains", "not_contains": "not_contains",
    "is one of": "in", "one of": "in", "is in": "in", "in": "in",
    "contains": "contains", "matches": "match", "match": "match",
    "not_starts_with": "not_starts_with", "not_ends_with": "not_ends_with",
    "starts with": "starts_with", "starts_with": "starts_with", "ends with": "ends_with", "ends_with": "ends_with",
}  # fmt: skip
# Words that the engine takes as operators between a field and a value.
_READ_AS_WRITTEN = frozenset(
    ("contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with")
)
_LITERALS = ("null", "true", "false")
_OPPOSITE = {"=": "!=", "!=": "=", "contains": "not_contains", "match": "not_match"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerText:
    """The conditions of a trigger, None where there are none, and what the engine does not read as written."""

    tree: Level | None
    corrections: tuple[Correction, ...]


# Reading takes the square of the length, and a level of parentheses several frames of Python's stack.
_LONGEST = 5_000
_MOST_LEVELS = 100


def read_trigger(text: str) -> TriggerText:
    """Reads a trigger. Never raises; one that is too long or too deep to be corrected has no tree."""
    if len(text) > _LONGEST:
        return TriggerText(tree=None, corrections=())
    tokens, corrections = tokens_of(text)
    if sum(token.kind == OPEN for token in tokens) > _MOST_LEVELS:
        return TriggerText(tree=None, corrections=())
    reader = _Reader(tokens, [Correction(cause=cause, change=change) for cause, change in corrections])
    level = reader.level(0)
    if reader.nested and level.items:
        level = flat(level)
    found = tuple(dict.fromkeys(reader.corrections))
    return TriggerText(tree=unwrapped(level) if level.items else None, corrections=found)


class _Reader:
    """Reads tokens from first to last and collects what has to be corrected. `nested` is set by too many levels."""

    def __init__(self, tokens: list[Token], corrections: list[Correction]) -> None:
        self._tokens = tokens
        self._at = 0
        self.corrections = corrections
        self.nested = False

    def level(self, depth: int) -> Level:
        items: list[Item] = []
        joins: list[str] = []
        pending: str | None = None
        while (token := self._peek()) is not None:
            if token.kind == CLOSE and depth:
                break
            if token.kind == JOIN:
                pending = self._next().text
                continue
            if token.kind == COMMA:
                self._next()
                continue
            item = self._item(depth, items[-1] if items else None)
            if item is None:
                continue
            if items:
                if pending is None:
                    self._correct("Two conditions have nothing between them.", f"write `and` or `or` before `{item}`")
                joins.append(pending or "and")
            items.append(item)
            pending = None
        return Level(items=tuple(items), joins=tuple(joins))

    def _item(self, depth: int, before: Item | None) -> Item | None:
        token = self._peek()
        if isinstance(before, Comparison) and token is not None and self._is_value_alone():
            value = self._value() or ""
            self._correct(
                f"{value} has no field before it.", f"write `{before.field} {before.operator}` before {value}"
            )
            return Comparison(field=before.field, operator=before.operator, value=value)
        if token is None or token.kind not in (OPEN, CLOSE, NOT, WORD):
            written = self._next().written
            self._correct(f"The engine skips `{written}`.", f"remove `{written}`")
            return None
        if token.kind == CLOSE:
            self._next()
            self._correct("A closing parenthesis has no opening one.", "remove a closing parenthesis")
            return None
        if token.kind == OPEN:
            return self._group(depth)
        if token.kind == NOT:
            return self._negated()
        return self._condition()

    def _is_value_alone(self) -> bool:
        """Whether strings, numbers or words follow, and then the next condition."""
        kinds = [each.kind for each in self._tokens[self._at :]]
        length = next(
            (position for position, kind in enumerate(kinds) if kind not in (STRING, NUMBER, WORD)), len(kinds)
        )
        ends = length == len(kinds) or kinds[length] in (JOIN, CLOSE, COMMA)
        operators = {each.text.lower() for each in self._tokens[self._at : self._at + length]} & _WORDED.keys()
        return ends and (length == 1 or (length > 1 and STRING not in kinds[:length] and not operators))

    def _group(self, depth: int) -> Level | None:
        self._next()
        if depth:
            self.nested = True
            self._correct("Parentheses are inside others.", "write one level of parentheses")
        inner = self.level(depth + 1)
        if self._peek() is None:
            self._correct("A parenthesis is not closed.", "close the parenthesis")
        else:
            self._next()
        return inner if inner.items else None

    def _negated(self) -> Item | None:
        written = self._next().written
        following = self._peek()
        function = following is not None and following.kind == WORD and following.text.lower() in FUNCTIONS
        item = self._condition() if following is not None and following.kind == WORD else None
        if not isinstance(item, Comparison):
            return item
        if not function or written != "!":
            self._correct(
                f"The engine does not read `{written}` there.",
                f"write `{'!' if function else '!='}` instead of `{written}`",
            )
        opposite = _OPPOSITE.get(item.operator, item.operator)
        return Comparison(field=item.field, operator=opposite, value=item.value)

    def _one_of(self, phrase: str) -> Item | None:
        """`in ("a", "b")`, which the engine does not have."""
        self._correct("The engine knows no operator `in`.", "write a condition for each value")
        self._next()
        tests = []
        while (value := self._value()) is not None:
            self._skip(COMMA)
            field = field_named(phrase)
            tests += [Comparison(field=field, operator="=", value=value)] if field else []
        self._skip(CLOSE)
        return joined(tuple(tests), "or") if tests else None

    def _condition(self) -> Item | None:
        token = self._peek()
        after = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        if token is not None and token.text.lower() in FUNCTIONS and after is not None and after.kind == OPEN:
            return self._function()
        words: list[str] = []
        operator = None
        while (token := self._peek()) is not None and token.kind in (WORD, OPERATOR, NOT) and operator is None:
            operator = self._operator() if words else None
            if operator is None:
                words.append(self._next().text)
        phrase = " ".join(words)
        if operator is None:
            if token is None or token.kind not in (STRING, NUMBER):
                self._without_operator(phrase, None)
                return None
            self._without_operator(phrase, token.written)
            operator = "="
        if operator == "in" and token is not None and (after := self._peek()) is not None and after.kind == OPEN:
            return self._one_of(phrase)
        value = self._value()
        if value is None:
            self._correct(f"`{phrase} {operator}` has no value.", f"remove `{phrase} {operator}`")
            return None
        field = self._field(phrase)
        return None if field is None else _test(field, operator, value)

    def _without_operator(self, phrase: str, value: str | None) -> None:
        before = f"before {value}" if value else "and no value"
        cause = f"`{phrase}` has no operator {before}. Allowed: {ALLOWED_OPERATORS}."
        self._correct(cause, f"write `=` after `{phrase}`" if value else f"remove `{phrase}`")

    def _operator(self) -> str | None:
        """The operator that starts at this token; consumes it."""
        token = self._tokens[self._at]
        if token.kind == OPERATOR:
            self._next()
            if token.written != token.text:
                self._instead(token.text, token.written)
            return token.text
        for length in (4, 3, 2, 1):
            some = self._tokens[self._at : self._at + length]
            phrase = " ".join(each.text for each in some)
            found = _WORDED.get(phrase.lower())
            if found is not None and len(some) == length:
                self._at += length
                if phrase not in _READ_AS_WRITTEN and found != "in":
                    self._instead(found, phrase)
                return found
        return None

    def _instead(self, operator: str, written: str) -> None:
        cause = f"The engine knows no operator `{written}`. Allowed: {ALLOWED_OPERATORS}."
        functions = {"starts_with": "match(field, ...)", "ends_with": "match(field, ...)", "match": "match(field, ...)"}
        name = functions.get(operator, f"{operator}(field, ...)" if "contains" in operator else operator)
        self._correct(cause, f"write `{name}` instead of `{written}`")

    def _value(self) -> str | None:
        token = self._peek()
        if token is None or token.kind not in (STRING, NUMBER, WORD):
            return None
        if token.kind == NUMBER:
            return self._next().text
        if token.kind == STRING:
            return quoted(self._next().text)
        words = [*self._words()]
        if len(words) == 1:
            return words[0] if words[0] in _LITERALS else quoted(words[0])
        value = quoted(" ".join(words))
        self._correct("A value of several words needs quotes.", f"write {value} in double quotes")
        return value

    def _words(self) -> Iterator[str]:
        while (token := self._peek()) is not None and token.kind in (WORD, NUMBER, NOT):
            yield self._next().text

    def _function(self) -> Comparison | None:
        name = self._next().text
        self._next()
        if name not in FUNCTIONS:
            self._correct(f"The engine knows no function `{name}`.", f"write `{name.lower()}` instead of `{name}`")
        phrase = " ".join(self._words())
        self._skip(COMMA)
        value = self._value()
        closing = self._peek()
        if closing is None or closing.kind != CLOSE:
            self._correct("A parenthesis is not closed.", "close the parenthesis")
        else:
            self._next()
        field = self._field(phrase) if phrase else None
        if field is None or value is None:
            self._correct(f"`{name}()` needs a field and a string.", f"remove `{name}()`")
            return None
        test = Comparison(field=field, operator=name.lower(), value=value)
        if field == "type":
            self._correct(f"`{name}()` does not read the type.", f"write `{test}`")
        return test

    def _field(self, phrase: str) -> str | None:
        field = field_named(phrase)
        if field is None:
            known = ", ".join(_ROOTS)
            self._correct(
                f"The engine knows no field `{phrase}` and skips it. Known: {known}.",
                f"remove the condition on `{phrase}`",
            )
        elif field != phrase:
            self._correct(
                f"The engine knows no field `{phrase}` and skips it.", f"write `{field}` instead of `{phrase}`"
            )
        return field

    def _correct(self, cause: str, change: str) -> None:
        self.corrections.append(Correction(cause=cause, change=change))

    def _skip(self, kind: str) -> None:
        if (token := self._peek()) is not None and token.kind == kind:
            self._next()

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]


def field_named(phrase: str) -> str | None:
    """The field that a phrase means: `Event Name` is `event`; None for none."""
    for prefix in _PREFIXES:
        phrase = phrase.removeprefix(prefix)
    if phrase.lower() in _NAMES:
        return _NAMES[phrase.lower()]
    root, dot, rest = phrase.partition(".")
    if root in _ROOTS:
        return phrase
    plain = {known.lower(): known for known in _ROOTS} | _NAMES
    matches = get_close_matches(root.lower(), plain, n=1, cutoff=0.75)
    return f"{plain[matches[0]]}{dot}{rest}" if matches and " " not in rest else None


def _test(field: str, operator: str, value: str) -> Comparison:
    """The test, with `match` for what starts or ends with a string."""
    if operator.endswith("starts_with"):
        operator, value = operator.replace("starts_with", "match"), quoted(f"{value[1:-1]}*")
    elif operator.endswith("ends_with"):
        operator, value = operator.replace("ends_with", "match"), quoted(f"*{value[1:-1]}")
    return Comparison(field=field, operator=operator, value=value)
