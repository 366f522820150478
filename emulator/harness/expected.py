"""A second opinion on the emulator: who must end up where in the demo, worked out from the generated people alone.

It knows the rules of the story (who is a VIP, which addresses are good, which values break a document, how calls are
grouped into batches) and calls none of the emulator's code, so that the demo is checked against something that is not
itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VIP_SPENT = 500
EVENTS_PER_CHANGE = 2
LONGEST_ADDRESS = 254

# What Segment's email format asks for, and nothing finer: dot-separated atoms, then dot-separated labels.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
# The published destination pastes values into the document: these end the string or spoil the JSON in it.
_BREAKING = re.compile(r'["\\\x00-\x1f]')


@dataclass(slots=True)
class SecondOpinion:
    """Follows one request of identify calls after another and keeps who is expected where.

    `members` are the emails in the audience's segment, `profiles` all that are visible, both lower case.
    """

    batch_size: int
    mapped_traits: Sequence[str]
    members: set[str] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    _vips: set[str] = field(default_factory=set)

    def request(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Takes one `/v1/batch` request of identify calls into account."""
        changes = [call for call in calls if self._changes(call)]
        events = [change for change in changes for _ in range(EVENTS_PER_CHANGE)]
        for batch in _chunks(events, self.batch_size):
            valid = [call for call in batch if has_address(call["traits"])]
            if not any(self._breaks(call["traits"]) for call in valid):
                self._arrive(valid)

    def _changes(self, call: Mapping[str, Any]) -> bool:
        user, is_vip = call["userId"], call["traits"]["total_spent"] >= VIP_SPENT
        if is_vip == (user in self._vips):
            return False
        (self._vips.add if is_vip else self._vips.remove)(user)
        return True

    def _breaks(self, traits: Mapping[str, Any]) -> bool:
        return any(_BREAKING.search(str(traits[name])) for name in self.mapped_traits if name in traits)

    def _arrive(self, calls: Sequence[Mapping[str, Any]]) -> None:
        for call in calls:
            email = str(call["traits"]["email"]).lower()
            if len(email) > LONGEST_ADDRESS:
                continue
            self.profiles.add(email)
            (self.members.add if call["userId"] in self._vips else self.members.discard)(email)


def has_address(traits: Mapping[str, Any]) -> bool:
    """Whether Segment's validation takes the person's email."""
    return bool(_ADDRESS.fullmatch(str(traits.get("email", ""))))


def _chunks(items: Sequence[Mapping[str, Any]], size: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (items[start : start + size] for start in range(0, len(items), size))
