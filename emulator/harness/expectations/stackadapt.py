"""StackAdapt as a test sees it, with expectations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from emulator.clock import polls
from emulator.errors import InputError, nearest
from emulator.harness.client import Endpoint, StackAdaptClient
from emulator.harness.expectations.profile import ExpectedProfile
from emulator.harness.expectations.unmet import unmet
from emulator.stackadapt.rules.outcomes import REASONS

Shown = dict[str, Any]

_SECONDS_BETWEEN = 2.0
_REFUSED = ("rejected", "suppressed")
_VISIBLE = """query ($advertiser: ID!, $email: String) {
  cdpProfiles(advertiserId: $advertiser, filterBy: {email: $email}) {
    profiles { nodes { email marketingStatus sources } }
  }
}"""


class ExpectingStackAdapt(StackAdaptClient):
    """One advertiser at an endpoint, and what is expected to be there.

    `patience` are the seconds that `expect_profile` waits where nobody can move the clock; an emulator never waits.
    """

    def __init__(self, endpoint: Endpoint, *, patience: float = 0) -> None:
        super().__init__(endpoint)
        self._patience = 0 if endpoint.controlled else patience

    def expect_profile(self, *, email: str) -> ExpectedProfile:
        """A profile with this email is visible. Raises Unmet with the story of the person."""
        __tracebackhide__ = True
        for _ in polls(self._patience, every=_SECONDS_BETWEEN):
            found = self._visible(email)
            if found:
                return ExpectedProfile(self._endpoint, found[0])
        waited = f" after {self._patience:g} s" if self._patience else ""
        sentence = f"{email} should have a profile at advertiser {self.advertiser_id}, and none is visible{waited}."
        raise unmet(self._endpoint, sentence, email=email)

    def expect_no_profile(self, *, email: str) -> None:
        """No profile with this email is visible. Raises Unmet with the story of the person."""
        __tracebackhide__ = True
        if self._visible(email):
            sentence = f"{email} should have no profile at advertiser {self.advertiser_id}, and one is visible."
            raise unmet(self._endpoint, sentence, email=email)

    def expect_rejection(self, *, reason: str | None = None, email: str | None = None) -> list[Shown]:
        """A record was refused, with a reason code of `contracts/reason-codes.yaml` and by an email, when given.

        Gives the refused records. Raises Unmet, and InputError for a code that there is not.
        """
        __tracebackhide__ = True
        _check_reason(reason)
        records = [each for outcome in _REFUSED for each in self.records(outcome=outcome)]
        refused = [each for each in records if each["advertiserId"] == self.advertiser_id]
        found = [each for each in refused if reason in (None, each["reason"]) and _is_about(each, email)]
        if not found:
            whose = f"A record of {email}" if email else "A record"
            why = f" with {reason}" if reason else ""
            others = ", ".join(sorted({str(each["reason"]) for each in refused})) or "nothing was"
            sentence = f"{whose} should have been rejected{why}, and none was. Rejected: {others}."
            raise unmet(self._endpoint, sentence, email=email)
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
        """Such requests were made, so many `times` or between `at_least` and `at_most`; at least once when not said.

        Gives their journal entries. Raises Unmet with the requests that came close.
        """
        __tracebackhide__ = True
        criteria = _given(operation=operation, email=email, advertiserId=advertiser_id, status=status)
        counts = _given(times=times, atLeast=at_least, atMost=at_most)
        told = self.verify(**criteria, **counts)
        if not told["verified"]:
            asked = " and ".join(f"{name} {value!r}" for name, value in criteria.items())
            often = " and ".join(f"{_COUNTED[name]} {_times(count)}" for name, count in told["expected"].items())
            sentence = f"Requests with {asked} should have been made {often}, and were {_times(told['found'])}."
            raise unmet(self._endpoint, "\n".join([sentence, *map(_near_miss, told["nearest"])]))
        return self.journal(**criteria)

    def expect_segment(
        self, rule: Mapping[str, Any], *, size: int | None = None, members: Collection[str] | None = None
    ) -> Shown:
        """A segment with this rule has so many members, or exactly these emails.

        Gives the segment. Raises Unmet with the story of the first who is missing, InputError when neither is given.
        """
        __tracebackhide__ = True
        if size is None and members is None:
            raise InputError(
                "nothing is expected of this segment",
                where="expect_segment",
                allowed="size, members",
                hint="To look at a segment there is stackadapt.segment(rule).",
            )
        segment = self.segment(rule)
        if size is not None and segment["size"] != size:
            raise unmet(self._endpoint, f"The segment should have {size} members, and has {segment['size']}.")
        if members is not None:
            wanted = {email.strip().lower() for email in members}
            missing, surplus = sorted(wanted - set(segment["members"])), sorted(set(segment["members"]) - wanted)
            if missing or surplus:
                told = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(surplus)}"] * bool(surplus)
                sentence = f"The segment should have exactly {len(wanted)} members: it {' and '.join(told)}."
                raise unmet(self._endpoint, sentence, email=(missing or surplus)[0])
        return segment

    def _visible(self, email: str) -> list[Shown]:
        if self._endpoint.controlled:
            return self.profiles(email)
        data = self.graphql(_VISIBLE, {"advertiser": self.advertiser_id, "email": email})
        profiles: list[Shown] = data["cdpProfiles"]["profiles"]["nodes"]
        return profiles


_COUNTED = {"times": "exactly", "atLeast": "at least", "atMost": "at most"}


def _check_reason(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        raise InputError(
            "there is no such reason code",
            where="reason",
            found=reason,
            allowed=", ".join(REASONS),
            hint=nearest(reason, REASONS),
        )


def _is_about(record: Shown, email: str | None) -> bool:
    """Whether an email stands in a record as it was sent, under whatever key."""
    if email is None:
        return True
    return any(isinstance(value, str) and value.lower() == email.lower() for value in record["record"].values())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _near_miss(miss: Shown) -> str:
    operations = ", ".join(miss["operations"]) or "unreadable document"
    found = ", ".join(map(str, miss["found"])) or "none"
    return f"  near miss   {operations}, {miss['status']}: {miss['differs']} is {found}, not {miss['expected']}"


def _given(**values: Any) -> Shown:
    return {name: value for name, value in values.items() if value is not None}
