"""The operators of trait and property conditions, as the audience builder has them.

They carry the meaning of "Engage Audiences" and of the query language in Segment's documentation: `not_equals` needs a
value that differs, so a missing value does not match; `not_contains` is the negation of `contains`, so a missing value
matches; text operators see a list as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Test = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`test(found, value)` says whether a value matches; `found` is None for a missing one.

    `takes` describes the value that the condition must give, judged by `fits`. `missing` tells whether a missing value
    matches.
    """

    test: Test
    takes: str
    fits: Callable[[Any], bool]
    missing: bool = False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_text_or_texts(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) and text for text in texts)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_list_of_scalars(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_scalar, value))


def _is_absent(value: Any) -> bool:
    return value is None


def _same(found: Any, value: Any) -> bool:
    """Equal and of one kind: 5 is 5.0, but neither "5" nor true."""
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    alike = type(found) is type(value) or (_is_number(found) and _is_number(value))
    return alike and bool(found == value)


def _as_text(found: Any) -> str | None:
    if isinstance(found, list):
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return found if isinstance(found, str) else None


def _compared(compare: Callable[[Any, Any], bool]) -> Operator:
    def test(found: Any, value: Any) -> bool:
        return _is_number(found) and compare(found, value)

    return Operator(test=test, takes="a number", fits=_is_number)


def _on_text(compare: Callable[[str, str], bool]) -> Test:
    def test(found: Any, value: Any) -> bool:
        text = _as_text(found)
        return text is not None and any(compare(text, part) for part in (value if isinstance(value, list) else [value]))

    return test


_CONTAINS = _on_text(lambda text, part: part in text)

OPERATORS: Mapping[str, Operator] = {
    "equals": Operator(test=_same, takes="a text, a number or true or false", fits=_is_scalar),
    "not_equals": Operator(
        test=lambda found, value: found is not None and not _same(found, value),
        takes="a text, a number or true or false",
        fits=_is_scalar,
    ),
    "less_than": _compared(lambda found, value: found < value),
    "greater_than": _compared(lambda found, value: found > value),
    "at_most": _compared(lambda found, value: found <= value),
    "at_least": _compared(lambda found, value: found >= value),
    "one_of": Operator(
        test=lambda found, values: any(_same(found, value) for value in values),
        takes="a list of texts, numbers or booleans",
        fits=_is_list_of_scalars,
    ),
    "contains": Operator(test=_CONTAINS, takes="a text or a list of texts", fits=_is_text_or_texts),
    "not_contains": Operator(
        test=lambda found, value: not _CONTAINS(found, value),
        takes="a text or a list of texts",
        fits=_is_text_or_texts,
        missing=True,
    ),
    "starts_with": Operator(test=_on_text(str.startswith), takes="a text", fits=_is_text),
    "ends_with": Operator(test=_on_text(str.endswith), takes="a text", fits=_is_text),
    "exists": Operator(test=lambda found, _: found is not None, takes="no value", fits=_is_absent),
    "not_exists": Operator(test=lambda found, _: found is None, takes="no value", fits=_is_absent, missing=True),
}
