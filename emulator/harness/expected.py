"""The expected outcome of the demo, computed from the generated people alone.

It implements the rules of the demo (who is a VIP, which emails are valid, which values break a document, how calls are
batched) without calling the emulator's code, so that the demo is checked against an independent implementation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VIP_SPENT = 500
EVENTS_PER_CHANGE = 2
LONGEST_ADDRESS = 254

# Segment's email format: dot-separated atoms, then dot-separated labels.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
# The published destination inserts values without escaping: these end the string or invalidate the JSON in it.
_BREAKING = re.compile(r'["\\\x00-\x1f]')


@dataclass(slots=True)
class ExpectedOutcome:
    """Processes requests of identify calls and computes the expected profiles and members.

    `members` are the emails in the audience's segment, `profiles` all that are visible, both in lower case.
    """

    batch_size: int
    mapped_traits: Sequence[str]
    members: set[str] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    _vips: set[str] = field(default_factory=set)

    def request(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Processes one `/v1/batch` request of identify calls."""
        changes = [call for call in calls if self._changes(call)]
        events = [change for change in changes for _ in range(EVENTS_PER_CHANGE)]
        for start in range(0, len(events), self.batch_size):
            batch = events[start : start + self.batch_size]
            valid = [call for call in batch if has_valid_email(call["traits"])]
            if not any(self._breaks(call["traits"]) for call in valid):
                for call in valid:
                    self._apply(call)

    def _changes(self, call: Mapping[str, Any]) -> bool:
        user, is_vip = call["userId"], call["traits"]["total_spent"] >= VIP_SPENT
        if is_vip == (user in self._vips):
            return False
        (self._vips.add if is_vip else self._vips.remove)(user)
        return True

    def _breaks(self, traits: Mapping[str, Any]) -> bool:
        return any(_BREAKING.search(str(traits[name])) for name in self.mapped_traits if name in traits)

    def _apply(self, call: Mapping[str, Any]) -> None:
        email = str(call["traits"]["email"]).lower()
        if len(email) <= LONGEST_ADDRESS:
            self.profiles.add(email)
            (self.members.add if call["userId"] in self._vips else self.members.discard)(email)


def has_valid_email(traits: Mapping[str, Any]) -> bool:
    """Whether the email passes Segment's validation."""
    return bool(_ADDRESS.fullmatch(str(traits.get("email", ""))))
