"""The explanation of a condition for one profile: each clause in plain words, with the value found and what it needs.

`not` is written into the clauses below it, so a tree has only `all of` and `any of` above its clauses, and `passed`
always means that a clause is as the condition wants it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

ALL = "all of"
ANY = "any of"
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A test and its outcome, or a group of them: `text` is then `all of` or `any of`, and the rest is in `parts`.

    `found` is what the profile has, as text, and `type` the JSON type of a trait; both None for a missing trait and for
    groups. `state` is `found` as a clause of its own: `total_spent is "900 CAD" (string)`.
    """

    text: str
    passed: bool
    found: str | None = None
    type: str | None = None
    needs: str | None = None
    state: str | None = None
    parts: tuple[Clause, ...] = ()

    @property
    def joint(self) -> str:
        """The word between the parts of a group."""
        return "and" if self.text == ALL else "or"

    def failed(self) -> tuple[str, ...]:
        """What to change: a line for each clause that did not pass, one line for a group that needs one of several."""
        if self.passed:
            return ()
        if self.needs is not None:
            return (f"{self.state}, needs {self.needs}",)
        if self.text == ALL:
            return tuple(line for part in self.parts for line in part.failed())
        return (" or ".join(_one_line(part, nested=True) for part in self.parts),) if self.parts else ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        if self.needs is None:
            return {"text": self.text, "passed": self.passed, "parts": [part.as_dict() for part in self.parts]}
        return {
            "text": self.text,
            "passed": self.passed,
            "found": self.found,
            "type": self.type,
            "needs": self.needs,
        }


def _one_line(clause: Clause, *, nested: bool) -> str:
    lines = clause.failed()
    text = " and ".join(lines)
    return f"({text})" if nested and clause.parts and len(lines) > 1 else text


def group(parts: Iterable[Clause], *, every: bool) -> Clause:
    """Clauses that must all pass, or one of them."""
    parts = tuple(parts)
    outcomes = [part.passed for part in parts]
    return Clause(text=ALL if every else ANY, passed=all(outcomes) if every else any(outcomes), parts=parts)


def trait_clause(trait: str, traits: Any, *, needs: str, passed: bool) -> Clause:
    """The clause about a trait of a profile with these traits."""
    found = traits.get(trait)
    if found is None:
        other = _similar(trait, traits)
        state = f"{trait} is missing" + (f" (there is {json.dumps(other, ensure_ascii=False)})" if other else "")
        return Clause(text=f"{trait} needs {needs}", passed=passed, needs=needs, state=state)
    text, kind = shown(found), json_type(found)
    return Clause(
        text=f"{trait} needs {needs}",
        passed=passed,
        found=text,
        type=kind,
        needs=needs,
        state=f"{trait} is {text} ({kind})",
    )


def shown(value: Any) -> str:
    """A value as JSON, cut after 60 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def typed(value: Any) -> str:
    """`"900" (string)`: a value with its JSON type."""
    return f"{shown(value)} ({json_type(value)})"


def listed(values: Any) -> str:
    """`"a" or "b"`: the items of a list, or a single value."""
    return " or ".join(map(shown, values if isinstance(values, list) else [values]))


def json_type(value: Any) -> str:
    """`string`, `number`, `boolean`, `array`, `object` or `null`."""
    if isinstance(value, bool):
        return "boolean"
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "string"),
    ((int, float), "number"),
    (list, "array"),
    (dict, "object"),
)


def times(count: int) -> str:
    """`1 time`, `2 times`."""
    return f"{count} time" if count == 1 else f"{count} times"


def _similar(name: str, known: Iterable[str]) -> str | None:
    """The known name that is the same but for its spelling, `totalSpent` for `total_spent`."""
    by_plain = {_plain(each): each for each in known}
    matches = get_close_matches(_plain(name), by_plain, n=1, cutoff=0.85)
    return by_plain[matches[0]] if matches else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()
