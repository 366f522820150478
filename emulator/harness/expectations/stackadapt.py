"""Expectations of the StackAdapt service: profiles, rejections, requests and segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from emulator.clock import polls
from emulator.durations import parse_duration
from emulator.errors import InputError, unknown
from emulator.events import REFUSALS
from emulator.harness.client import Endpoint, Shown, StackAdaptClient, checked, record_line
from emulator.harness.expectations.criteria import Criteria, check_times, given
from emulator.harness.expectations.expected_profile import ExpectedProfile
from emulator.harness.expectations.planned_change import AnyWorkspace, PlannedChange, planned_change
from emulator.harness.expectations.unmet import unmet
from emulator.stackadapt.rules.outcomes import PENDING, REASONS, WAITS_FOR_PROFILE

_SECONDS_BETWEEN = 2.0
_REJECTED = ("rejected", "suppressed")
_VISIBLE = """query ($advertiser: ID!, $email: String) {
  cdpProfiles(advertiserId: $advertiser, filterBy: {email: $email}) {
    profiles { nodes { email marketingStatus sources } }
  }
}"""


@checked
class ExpectingStackAdapt(StackAdaptClient):
    """One advertiser at an endpoint, and expectations of it.

    `patience` is how many seconds `expect_profile` waits at an endpoint without a clock to advance, unless it is given.
    """

    def __init__(self, endpoint: Endpoint, *, patience: float = 0) -> None:
        super().__init__(endpoint)
        self._patience = 0 if endpoint.controlled else patience

    def expect_profile(self, *, email: str, within: str | None = None) -> ExpectedProfile:
        """A profile with this email is visible, now or `within` a duration of real time such as 10s, at most 60s.

        Raises Unmet with the timeline of the profile.
        """
        seconds = self._patience if within is None else parse_duration(within, where="within").total_seconds()
        if self._endpoint.controlled and within is not None:
            awaited = {"advertiserId": self.advertiser_id, "email": email}
            found = self._endpoint.control.wait_for("profile", timeout=within, **awaited)
        else:
            found = self._polled(email, seconds)
        if found is not None:
            return ExpectedProfile(self._endpoint, found)
        waited = f" after {seconds:g} s" if seconds else ""
        wanted = f"expected a visible profile for {email} at advertiser {self.advertiser_id}"
        raise unmet(self._endpoint, f"{wanted}; none found{waited}", email=email)

    def expect_no_profile(self, *, email: str) -> None:
        """No profile with this email is visible. Raises Unmet with the timeline of the profile."""
        if self._visible(email):
            wanted = f"expected no visible profile for {email} at advertiser {self.advertiser_id}"
            raise unmet(self._endpoint, f"{wanted}; found one", email=email)

    def expect_rejection(
        self,
        *,
        reason: str | None = None,
        email: str | None = None,
        user_id: str | None = None,
        external_id: str | None = None,
        times: int | None = None,
        pending: bool = False,
    ) -> list[Shown]:
        """Records were rejected with these values: at least one, or exactly `times`.

        `reason` is a code of `contracts/reason-codes.yaml`; `external_id` is found under any key of the record. With
        `pending`, records that wait for a profile count too, as they do for a reason that only they have. Returns the
        records. Raises Unmet with near misses and the timeline, InputError for an unknown reason code.
        """
        check_times(times, where="expect_rejection")
        if reason is not None and reason not in REASONS:
            raise unknown("reason code", reason, REASONS, where="expect_rejection: reason")
        criteria = Criteria(
            what=("rejected record", "rejected records"),
            wanted=given(reason=reason, email=email, user_id=user_id, external_id=external_id),
            times=times,
            facts=_facts_of_record,
            line=lambda record: record_line(record, whole=True),
        )
        counted = (*_REJECTED, PENDING) if pending or reason == WAITS_FOR_PROFILE else _REJECTED
        every = [each for each in self.records() if each["advertiserId"] == self.advertiser_id]
        records = [each for each in every if each["outcome"] in counted]
        found = criteria.matching(records)
        if not criteria.met_by(found):
            waiting = criteria.matching([each for each in every if each["outcome"] == PENDING not in counted])
            lines = [criteria.failure(records), *map(_waiting_line, waiting)]
            raise unmet(self._endpoint, "\n".join(lines), email=email, user_id=user_id)
        return found

    def expect_request(
        self,
        *,
        operation: str | None = None,
        email: str | None = None,
        advertiser_id: str | None = None,
        status: int | None = None,
        reason: str | None = None,
        fault: str | None = None,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> list[Shown]:
        """Matching requests were received, exactly `times`, or `at_least` and `at_most`; by default at least once.

        `reason` is that of a record, `fault` one that matched. Returns their journal entries. Raises Unmet with near
        misses.
        """
        criteria = given(
            operation=operation, email=email, advertiserId=advertiser_id, status=status, reason=reason, fault=fault
        )
        counts = given(times=times, atLeast=at_least, atMost=at_most)
        result = self.verify(**criteria, **counts)
        if not result["verified"]:
            wanted = " and ".join(f"{_COUNTED[name]} {count}" for name, count in result["expected"].items())
            asked = " and ".join(f"{name} {value!r}" for name, value in criteria.items())
            message = f"expected {wanted} requests with {asked}; found {result['found']}"
            raise unmet(self._endpoint, "\n".join([message, *map(_near_miss, result["nearest"])]))
        return [each for each in self.journal(**criteria) if status is not None or not each["refusal"]]

    def expect_segment(
        self, rule: Mapping[str, Any], *, size: int | None = None, members: Collection[str] | None = None
    ) -> Shown:
        """A segment with this rule has `size` members, or exactly these emails as members.

        Returns the segment. Raises Unmet with the warnings of the segment and the timeline of a missing member, and for
        no members where the rule names an unknown value; InputError when neither is given.
        """
        if size is None and members is None:
            message, hint = (
                "an expected size or members are required",
                "To read a segment, use stackadapt.segment(rule).",
            )
            raise InputError(message, where="expect_segment", allowed="size, members", hint=hint)
        segment = self.segment(rule)
        if not_shown := segment.get("notShown"):
            raise unmet(self._endpoint, f"the segment cannot be computed: {'; '.join(not_shown)}")
        warned = "".join(f"\n  warning     {warning}" for warning in segment["warnings"])
        if size is not None and segment["size"] != size:
            raise unmet(self._endpoint, f"expected a segment with {size} members; it has {segment['size']}{warned}")
        if (size == 0 or members == []) and segment.get("unknownValues"):
            raise unmet(
                self._endpoint, f"expected a segment without members, but no profile can have its value{warned}"
            )
        if members is not None:
            wanted = {email.strip().lower() for email in members}
            missing, surplus = sorted(wanted - set(segment["members"])), sorted(set(segment["members"]) - wanted)
            if missing or surplus:
                named = (("missing", missing), ("unexpected", surplus))
                found = "; ".join(f"{name}: {', '.join(emails)}" for name, emails in named if emails)
                message = f"expected a segment with exactly {len(wanted)} members; {found}{warned}"
                raise unmet(self._endpoint, message, email=(missing or surplus)[0])
        return segment

    def plan(
        self,
        new: AnyWorkspace,
        *,
        old: AnyWorkspace | None = None,
        people: int | None = None,
        seed: int | None = None,
        known: bool = False,
        advance: str | None = None,
    ) -> PlannedChange:
        """What a change of the workspace to `new` would do, for `people` generated ones (1,000), or for those `known`
        to the sandbox. It is compared with `old`, or with the workspace of this test; nothing is changed.

        Raises WorkspaceError and InputError for what cannot be planned.
        """
        return planned_change(self.control, new, old=old, people=people, seed=seed, known=known, advance=advance)

    def _polled(self, email: str, seconds: float) -> Shown | None:
        for _ in polls(seconds, every=_SECONDS_BETWEEN):
            if found := self._visible(email):
                return found[0]
        return None

    def _visible(self, email: str) -> list[Shown]:
        if self._endpoint.controlled:
            return self.profiles(email)
        data = self.graphql(_VISIBLE, {"advertiser": self.advertiser_id, "email": email})
        profiles: list[Shown] = data["cdpProfiles"]["profiles"]["nodes"]
        return profiles


_COUNTED = {"times": "exactly", "atLeast": "at least", "atMost": "at most"}


def _facts_of_record(record: Shown) -> Mapping[str, Sequence[object]]:
    """The values of a record, as it was sent: the mapping decides under which keys they are."""
    sent = record["record"]
    texts = [str(value) for value in sent.values() if isinstance(value, str | int)]
    return {
        "reason": [record["reason"]],
        "email": [text for text in texts if "@" in text] + [record["email"]] * bool(record["email"]),
        "user_id": [str(value) for key, value in sent.items() if key.replace("_", "").lower() == "userid"],
        "external_id": [*texts, record["waitsFor"]],
    }


def _waiting_line(record: Shown) -> str:
    return f"  waiting     {record_line(record, whole=True)} (pending=True counts it)"


def _near_miss(miss: Shown) -> str:
    operations = ", ".join(miss["operations"]) or "unreadable document"
    if miss["refusal"]:
        credential = f" ({miss['credential']})" if miss["credential"] else ""
        return f"  near miss   {operations}: refused with {miss['status']}, {REFUSALS[miss['refusal']]}{credential}"
    found = ", ".join(map(str, miss["found"])) or "none"
    return f"  near miss   {operations}, {miss['status']}: {miss['differs']} is {found}, not {miss['expected']}"
