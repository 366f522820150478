"""What an expectation looks for in a list, how many items fit, and which come near."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.errors import InputError
from emulator.harness.client import Shown

_MOST_NEAR = 3
_MOST_FOUND = 8

# The values of an item that a criterion is compared with; several where the item names the same thing more than once.
Facts = Callable[[Shown], Mapping[str, Sequence[object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """The wanted values by the name of the argument, and how many items must have them: at least one when `times` is
    None. `what` names an item and several: `("delivery", "deliveries")`.
    """

    what: tuple[str, str]
    wanted: Mapping[str, object]
    times: int | None
    facts: Facts
    line: Callable[[Shown], str]

    def matching(self, items: Sequence[Shown]) -> list[Shown]:
        """The items with every wanted value."""
        return [item for item in items if not self._differing(item)]

    def met_by(self, found: Sequence[Shown]) -> bool:
        """Whether as many items were found as are expected."""
        return len(found) == self.times if self.times is not None else bool(found)

    def failure(self, items: Sequence[Shown]) -> str:
        """What was expected and found, with the items that come nearest, or those that were not expected."""
        found = self.matching(items)
        return "\n".join([self._summary(len(found), len(items)), *self._details(found, items)])

    def nearest(self, items: Sequence[Shown]) -> list[Shown]:
        """The items that lack the fewest values, nearest first; one that has none of them does not count."""
        most = len(self.wanted) - 1 if len(self.wanted) > 1 else 1
        near = [item for item in items if 0 < len(self._differing(item)) <= most]
        return sorted(near, key=lambda item: len(self._differing(item)))[:_MOST_NEAR]

    def _summary(self, found: int, of: int) -> str:
        one, several = self.what
        asked = " and ".join(f"{name} {value!r}" for name, value in self.wanted.items())
        counted = f"a {one}" if self.times is None else f"exactly {self.times} {one if self.times == 1 else several}"
        among = f" among {of}" if of else f", and there is no {one}"
        return f"expected {counted}{f' with {asked}' if asked else ''}; found {found or 'none'}{among}"

    def _details(self, found: Sequence[Shown], items: Sequence[Shown]) -> list[str]:
        if self.times is not None and len(found) > self.times:
            rest = [f"  and {len(found) - _MOST_FOUND} more"] if len(found) > _MOST_FOUND else []
            return [f"  found       {self.line(item)}" for item in found[:_MOST_FOUND]] + rest
        return [
            f"  near miss   {self.line(item).rstrip('.')}; {self._difference(item)}" for item in self.nearest(items)
        ]

    def _difference(self, item: Shown) -> str:
        facts = self.facts(item)
        return ", ".join(
            f"{name} is {' and '.join(map(_text, facts[name])) or 'none'}, not {_text(self.wanted[name])}"
            for name in self._differing(item)
        )

    def _differing(self, item: Shown) -> list[str]:
        facts = self.facts(item)
        return [
            name for name, value in self.wanted.items() if not any(_same(name, value, each) for each in facts[name])
        ]


def given(**values: Any) -> Shown:
    """The arguments that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def check_times(times: object, *, where: str) -> None:
    """Raises InputError for anything but a number of items."""
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise InputError("invalid number", where=f"{where}: times", found=times, allowed="0 or more")


def _same(name: str, wanted: object, found: object) -> bool:
    if name == "email" and isinstance(wanted, str) and isinstance(found, str):
        return wanted.strip().lower() == found.strip().lower()
    return wanted == found


def _text(value: object) -> str:
    return "none" if value is None else repr(value)
