"""Why nothing came of a population: the calls that Segment refused, or where one of the people stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from emulator.harness.plan.calls import CallsOf, emails_of
from emulator.harness.plan.causes import Side, in_words
from emulator.harness.plan.end_state import EndState
from emulator.harness.reasons import refusal


class Nothing(NamedTuple):
    """The cause as a clause, and what to do."""

    cause: str
    advice: str


_CORRECT = "Correct the calls: validate shows what is wrong with them."
_ADVICE = "Give people who meet the condition of an audience, or connect audiences to the destination."


def nothing_came(ends: Sequence[EndState], sides: Sequence[Side], population: CallsOf) -> Nothing:
    """Why no person arrived in any end; the last end and its side are asked first."""
    refused = ends[-1].refused
    if refused and sum(refused.values()) == population.calls:
        return _all_refused(refused)
    email, user_id, side = _someone(ends, sides, population)
    stop = side.stop(email, user_id=user_id) if email or user_id else None
    if stop is None:
        return Nothing("Segment sent no event about them", _ADVICE)
    return Nothing(f"{email or user_id}: {in_words(stop)}", stop.advice)


def _all_refused(refused: Mapping[str, int]) -> Nothing:
    found = {code: refusal(code) for code in refused}
    listed = "; ".join(f"{refused[code]:,} as {code}: {meaning.rstrip('.')}" for code, (meaning, _) in found.items())
    advice = dict.fromkeys(fix for _, fix in found.values() if fix)
    return Nothing(f"Segment refused all calls, {listed}", " ".join(advice) or _CORRECT)


def _someone(
    ends: Sequence[EndState], sides: Sequence[Side], population: CallsOf
) -> tuple[str | None, str | None, Side]:
    """The email and the user id of a person with the most frequent cause, or of the first one."""
    for end, side in zip(reversed(ends), reversed(sides), strict=True):
        for cause, _ in Counter(end.causes.values()).most_common(1):
            name = next(name for name, found in end.causes.items() if found == cause)
            return (name, None, side) if "@" in name else (None, name, side)
    for call in population.make():
        email, user_id = next(iter(emails_of(call)), None), call.get("userId")
        if email or isinstance(user_id, str):
            return email, user_id, sides[-1]
    return None, None, sides[-1]
