"""The operators of trait and property conditions, as in the audience builder.

Their meaning is that of "Engage Audiences" and of the query language in Segment's documentation: `not_equals` needs a
value that differs, so a missing value does not match; `not_contains` negates `contains`, so a missing value matches;
string operators see an array as JSON text. An operator is added here and in `contracts/workspace.schema.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.segment.conditions.clause import listed, shown, typed

Test = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`test(found, value)` is whether a value matches; `found` is None for a missing one.

    `takes` describes the value that the condition must give and `fits` checks it; `missing` is whether a missing value
    matches. `needs(value)` says in words what is found when it matches, `denied(value)` when it does not, which is
    otherwise "anything but" what it needs.
    """

    description: str
    needs: Callable[[Any], str]
    takes: str
    fits: Callable[[Any], bool]
    test: Test
    missing: bool = False
    denied: Callable[[Any], str] | None = None

    def otherwise(self, value: Any) -> str:
        """What is found when it does not match."""
        return self.denied(value) if self.denied else f"anything but {self.needs(value)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_string(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_string_or_strings(value: Any) -> bool:
    return _is_string(value) or (isinstance(value, list) and bool(value) and all(map(_is_string, value)))


def _is_array_of_scalars(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_scalar, value))


def _is_absent(value: Any) -> bool:
    return value is None


def _same(found: Any, value: Any) -> bool:
    """Equal and of one type: 5 is 5.0, but neither "5" nor true."""
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    alike = type(found) is type(value) or (_is_number(found) and _is_number(value))
    return alike and bool(found == value)


def _as_text(found: Any) -> str | None:
    if isinstance(found, list):
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return found if isinstance(found, str) else None


def _numeric(description: str, sign: str, compare: Test) -> Operator:
    def test(found: Any, value: Any) -> bool:
        return _is_number(found) and compare(found, value)

    return Operator(
        description=description,
        needs=lambda value: f"a number {sign} {shown(value)}",
        takes="a number",
        fits=_is_number,
        test=test,
    )


def _on_text(compare: Callable[[str, str], bool]) -> Test:
    def test(found: Any, value: Any) -> bool:
        text = _as_text(found)
        return text is not None and any(compare(text, part) for part in (value if isinstance(value, list) else [value]))

    return test


_CONTAINS = _on_text(lambda text, part: part in text)
_SCALAR = "a string, a number, true or false"
_STRINGS = "a string or an array of strings"

OPERATORS: Mapping[str, Operator] = {
    "equals": Operator(
        description="the same value of the same type", needs=typed, takes=_SCALAR, fits=_is_scalar, test=_same
    ),
    "not_equals": Operator(
        description="another value; a missing one does not match",
        needs=lambda value: f"any value but {typed(value)}",
        denied=lambda value: f"{typed(value)} or no value",
        takes=_SCALAR,
        fits=_is_scalar,
        test=lambda found, value: found is not None and not _same(found, value),
    ),
    "less_than": _numeric("a smaller number", "<", lambda found, value: found < value),
    "greater_than": _numeric("a larger number", ">", lambda found, value: found > value),
    "at_most": _numeric("a smaller number or the same", "≤", lambda found, value: found <= value),
    "at_least": _numeric("a larger number or the same", "≥", lambda found, value: found >= value),
    "one_of": Operator(
        description="equal to an item of the array",
        needs=lambda values: " or ".join(map(typed, values)),
        takes="an array of strings, numbers or booleans",
        fits=_is_array_of_scalars,
        test=lambda found, values: any(_same(found, value) for value in values),
    ),
    "contains": Operator(
        description="contains the string, or one of them",
        needs=lambda value: f"a string with {listed(value)} in it",
        takes=_STRINGS,
        fits=_is_string_or_strings,
        test=_CONTAINS,
    ),
    "not_contains": Operator(
        description="contains none of the strings; a missing value matches",
        needs=lambda value: f"anything but a string with {listed(value)} in it",
        denied=lambda value: f"a string with {listed(value)} in it",
        takes=_STRINGS,
        fits=_is_string_or_strings,
        test=lambda found, value: not _CONTAINS(found, value),
        missing=True,
    ),
    "starts_with": Operator(
        description="starts with the string",
        needs=lambda value: f"a string that starts with {shown(value)}",
        takes="a string",
        fits=_is_string,
        test=_on_text(str.startswith),
    ),
    "ends_with": Operator(
        description="ends with the string",
        needs=lambda value: f"a string that ends with {shown(value)}",
        takes="a string",
        fits=_is_string,
        test=_on_text(str.endswith),
    ),
    "exists": Operator(
        description="has any value",
        needs=lambda _: "any value",
        denied=lambda _: "no value",
        takes="no value",
        fits=_is_absent,
        test=lambda found, _: found is not None,
    ),
    "not_exists": Operator(
        description="has no value",
        needs=lambda _: "no value",
        denied=lambda _: "any value",
        takes="no value",
        fits=_is_absent,
        test=lambda found, _: found is None,
        missing=True,
    ),
}
