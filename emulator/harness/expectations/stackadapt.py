"""The StackAdapt client with expectations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from emulator.clock import polls
from emulator.errors import InputError, unknown
from emulator.harness.client import Endpoint, Shown, StackAdaptClient
from emulator.harness.expectations.profile import ExpectedProfile
from emulator.harness.expectations.unmet import unmet
from emulator.stackadapt.rules.outcomes import REASONS

_SECONDS_BETWEEN = 2.0
_REJECTED = ("rejected", "suppressed")
_VISIBLE = """query ($advertiser: ID!, $email: String) {
  cdpProfiles(advertiserId: $advertiser, filterBy: {email: $email}) {
    profiles { nodes { email marketingStatus sources } }
  }
}"""


class ExpectingStackAdapt(StackAdaptClient):
    """One advertiser at an endpoint, and expectations of it.

    `patience` is how many seconds `expect_profile` waits at an endpoint without a clock to advance.
    """

    def __init__(self, endpoint: Endpoint, *, patience: float = 0) -> None:
        super().__init__(endpoint)
        self._patience = 0 if endpoint.controlled else patience

    def expect_profile(self, *, email: str) -> ExpectedProfile:
        """A profile with this email is visible. Raises Unmet with the timeline of the profile."""
        __tracebackhide__ = True
        for _ in polls(self._patience, every=_SECONDS_BETWEEN):
            found = self._visible(email)
            if found:
                return ExpectedProfile(self._endpoint, found[0])
        waited = f" after {self._patience:g} s" if self._patience else ""
        wanted = f"expected a visible profile for {email} at advertiser {self.advertiser_id}"
        raise unmet(self._endpoint, f"{wanted}; none found{waited}", email=email)

    def expect_no_profile(self, *, email: str) -> None:
        """No profile with this email is visible. Raises Unmet with the timeline of the profile."""
        __tracebackhide__ = True
        if self._visible(email):
            wanted = f"expected no visible profile for {email} at advertiser {self.advertiser_id}"
            raise unmet(self._endpoint, f"{wanted}; found one", email=email)

    def expect_rejection(self, *, reason: str | None = None, email: str | None = None) -> list[Shown]:
        """A record was rejected, with a reason code of `contracts/reason-codes.yaml` and an email, when given.

        Returns the rejected records. Raises Unmet, and InputError for an unknown reason code.
        """
        __tracebackhide__ = True
        if reason is not None and reason not in REASONS:
            raise unknown("reason code", reason, REASONS, where="reason")
        records = [each for outcome in _REJECTED for each in self.records(outcome=outcome)]
        rejected = [each for each in records if each["advertiserId"] == self.advertiser_id]
        found = [each for each in rejected if reason in (None, each["reason"]) and _is_about(each, email)]
        if not found:
            criteria = f"{f' for {email}' if email else ''}{f' with reason {reason}' if reason else ''}"
            reasons = ", ".join(sorted({str(each["reason"]) for each in rejected})) or "none"
            message = f"expected a rejected record{criteria}; none found (reasons of all rejected records: {reasons})"
            raise unmet(self._endpoint, message, email=email)
        return found

    def expect_request(
        self,
        *,
        operation: str | None = None,
        email: str | None = None,
        advertiser_id: str | None = None,
        status: int | None = None,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> list[Shown]:
        """Matching requests were received, exactly `times`, or `at_least` and `at_most`; by default at least once.

        Returns their journal entries. Raises Unmet with near misses.
        """
        __tracebackhide__ = True
        criteria = _given(operation=operation, email=email, advertiserId=advertiser_id, status=status)
        counts = _given(times=times, atLeast=at_least, atMost=at_most)
        result = self.verify(**criteria, **counts)
        if not result["verified"]:
            wanted = " and ".join(f"{_COUNTED[name]} {count}" for name, count in result["expected"].items())
            asked = " and ".join(f"{name} {value!r}" for name, value in criteria.items())
            message = f"expected {wanted} requests with {asked}; found {result['found']}"
            raise unmet(self._endpoint, "\n".join([message, *map(_near_miss, result["nearest"])]))
        return self.journal(**criteria)

    def expect_segment(
        self, rule: Mapping[str, Any], *, size: int | None = None, members: Collection[str] | None = None
    ) -> Shown:
        """A segment with this rule has `size` members, or exactly these emails as members.

        Returns the segment. Raises Unmet with the timeline of a missing member, InputError when neither is given.
        """
        __tracebackhide__ = True
        if size is None and members is None:
            raise InputError(
                "an expected size or members are required",
                where="expect_segment",
                allowed="size, members",
                hint="To read a segment, use stackadapt.segment(rule).",
            )
        segment = self.segment(rule)
        if size is not None and segment["size"] != size:
            raise unmet(self._endpoint, f"expected a segment with {size} members; it has {segment['size']}")
        if members is not None:
            wanted = {email.strip().lower() for email in members}
            missing, surplus = sorted(wanted - set(segment["members"])), sorted(set(segment["members"]) - wanted)
            if missing or surplus:
                named = (("missing", missing), ("unexpected", surplus))
                found = "; ".join(f"{name}: {', '.join(emails)}" for name, emails in named if emails)
                message = f"expected a segment with exactly {len(wanted)} members; {found}"
                raise unmet(self._endpoint, message, email=(missing or surplus)[0])
        return segment

    def _visible(self, email: str) -> list[Shown]:
        if self._endpoint.controlled:
            return self.profiles(email)
        data = self.graphql(_VISIBLE, {"advertiser": self.advertiser_id, "email": email})
        profiles: list[Shown] = data["cdpProfiles"]["profiles"]["nodes"]
        return profiles


_COUNTED = {"times": "exactly", "atLeast": "at least", "atMost": "at most"}


def _is_about(record: Shown, email: str | None) -> bool:
    """Whether a record, as it was sent, contains an email under any key."""
    if email is None:
        return True
    return any(isinstance(value, str) and value.lower() == email.lower() for value in record["record"].values())


def _near_miss(miss: Shown) -> str:
    operations = ", ".join(miss["operations"]) or "unreadable document"
    found = ", ".join(map(str, miss["found"])) or "none"
    return f"  near miss   {operations}, {miss['status']}: {miss['differs']} is {found}, not {miss['expected']}"


def _given(**values: Any) -> Shown:
    return {name: value for name, value in values.items() if value is not None}
