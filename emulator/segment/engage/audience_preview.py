"""What an audience would be like: its condition in words, and how many of the stored profiles meet it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection as Transaction

from emulator.sandbox import Sandbox
from emulator.segment.conditions.compile import compile_condition
from emulator.segment.conditions.condition import Condition
from emulator.segment.conditions.condition_text import condition_text
from emulator.segment.engage.computations import computations
from emulator.segment.engage.history import AudienceStarts
from emulator.segment.engage.queries import keys_after, warnings_of
from emulator.segment.profiles.facts import ProfileFacts
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile
from emulator.segment.profiles.store import ProfileSession
from emulator.timestamps import to_millis
from emulator.workspace import Audience, Workspace

# Enough to judge a condition by, in well under a second.
MOST_PROFILES = 10_000


class Previews:
    """Tries audiences on the profiles of a sandbox; `begin` starts a transaction in which everything due is done."""

    def __init__(self, sandbox: Sandbox, begin: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._sandbox = sandbox
        self._begin = begin

    def preview(self, workspace: Workspace, audience: Audience) -> dict[str, Any]:
        """An audience of a workspace that need not be in use.

        `{"conditionText", "profiles", "size", "complete", "warnings"}`: `profiles` were looked at, `size` of them meet
        the condition, `complete` says whether that is all profiles. Raises WorkspaceError for an invalid condition.
        """
        # For the checks that need all audiences: unknown ones, and cycles.
        computations(workspace, {}, AudienceStarts(workspace.audiences))
        condition = compile_condition(audience.condition, where="condition")
        profiles = size = last = 0
        with self._begin() as transaction:
            while profiles < MOST_PROFILES and (keys := keys_after(transaction, last)):
                size += self._number(transaction, condition, keys)
                profiles, last = profiles + len(keys), keys[-1]
            complete = not keys_after(transaction, last)
        return {
            "conditionText": condition_text(audience.condition),
            "profiles": profiles,
            "size": size,
            "complete": complete,
            "warnings": [*warnings_of(workspace, audience)],
        }

    def _number(self, transaction: Transaction, condition: Condition, keys: Sequence[int]) -> int:
        """How many of these stored profiles meet the condition; one that is damaged does not."""
        try:
            profiles = ProfileSession(transaction, keys=keys, history=bool(condition.events)).profiles()
            return sum(self._meets(profile, condition) for profile in profiles)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return sum(self._number(transaction, condition, [key]) for key in keys) if len(keys) > 1 else 0

    def _meets(self, profile: Profile, condition: Condition) -> bool:
        # Engage computes no audience for the others.
        if not (profile.values(USER_ID) or profile.values(EMAIL)):
            return False
        now = to_millis(self._sandbox.clock.now())
        return condition.holds(
            ProfileFacts(traits=profile.traits, now=now, audiences=profile.audiences, performed=profile.performed)
        )
