"""Assertions on profiles, rejections, requests and segments, with or without pytest.

A failed one raises `Unmet`, an AssertionError that prints what happened to the profile at each stage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Self

from emulator.clock import polls
from emulator.errors import ContractViolation, InputError, nearest, unknown
from emulator.events import REFUSALS
from emulator.harness.client import Endpoint, Shown, StackAdaptClient, failures_at, timeline_of
from emulator.stackadapt.rules.outcomes import REASONS


class ExpectedProfile:
    """A visible profile. Each method returns the same object, so that expectations can be chained.

    Raises NoControl for properties and audiences where there is only GraphQL, which does not return them.
    """

    def __init__(self, endpoint: Endpoint, shown: Shown) -> None:
        self._endpoint = endpoint
        self.shown = shown

    @property
    def email(self) -> str:
        """The email as StackAdapt stores it."""
        return str(self.shown["email"])

    def in_audience(self, audience: str) -> Self:
        """It is in an external audience, given by id or by name, which is the snake_case key."""
        __tracebackhide__ = True
        if audience not in self._audiences():
            names = ", ".join(f"{each['name']} ({each['id']})" for each in self._field("audiences")) or "no audience"
            raise self._unmet(f"to be in audience {audience!r}; it is in {names}")
        return self

    def not_in_audience(self, audience: str) -> Self:
        """It is not in an external audience.

        Raises InputError for an audience that neither the workspace nor any record names.
        """
        __tracebackhide__ = True
        if audience in self._audiences():
            raise self._unmet(f"not to be in audience {audience!r}; it is")
        # The mapping decides under which key a record names its audience: any string of a record may be one.
        records = [each["record"] for each in self._endpoint.control.pages("records", "records")]
        known = list(dict.fromkeys(_audience_names(self._endpoint, records)))
        if audience not in known and not any(audience in record.values() for record in records):
            raise unknown("audience", audience, known, where="not_in_audience")
        return self

    def with_property(self, name: str, value: object) -> Self:
        """It has a property with a value, as StackAdapt stores them: `with_property("city", "Paris")`."""
        __tracebackhide__ = True
        properties: Shown = self._field("properties")
        wanted = f"to have {name} = {value!r}"
        if name not in properties:
            hint = nearest(name, properties)
            known = ", ".join(sorted(properties)) or "none"
            raise self._unmet(f"{wanted}; its properties are {known}{f' ({hint})' if hint else ''}")
        if properties[name] != value:
            raise self._unmet(f"{wanted}; it has {properties[name]!r}")
        return self

    def with_marketing_status(self, status: str) -> Self:
        """It has a marketing status, such as `OPTED_IN`."""
        __tracebackhide__ = True
        found = self._field("marketingStatus")
        if found != status:
            raise self._unmet(f"to have marketing status {status}; it has {found}")
        return self

    def _audiences(self) -> set[str]:
        return {audience[key] for audience in self._field("audiences") for key in ("id", "name")}

    def _field(self, name: str) -> Any:
        if name not in self.shown:
            self._endpoint.control  # noqa: B018 - raises: only an emulator shows it
        return self.shown[name]

    def _unmet(self, wanted_and_found: str) -> Unmet:
        message = f"expected the profile of {self.email} {wanted_and_found}"
        return unmet(self._endpoint, message, email=self.email)


def _audience_names(endpoint: Endpoint, records: Sequence[Shown]) -> Iterator[str]:
    """Ids and names of the audiences that the workspace, profiles and records name. Raises NoControl."""
    control = endpoint.control
    for audience in control.get("audiences")["audiences"]:
        yield from (audience["key"], audience["id"])
    for journey in control.get("journeys")["journeys"]:
        yield from (step["key"] for step in journey["steps"])
    for profile in control.pages("profiles", "profiles"):
        yield from (audience[key] for audience in profile["audiences"] for key in ("name", "id"))
    for record in records:
        yield from (str(record[key]) for key in ("audienceName", "audienceId") if record.get(key))


_MOST_FAILURES = 8


class Unmet(ContractViolation, AssertionError):
    """What was expected and what was found, then the timeline of the profile and other failures."""

    # The public name, also in pytest's report.
    __module__ = "emulator"


def unmet(endpoint: Endpoint, message: str, *, email: str | None = None) -> Unmet:
    """The error to raise. Without a control API it has no timeline."""
    return Unmet("\n".join([message, *(_explanation(endpoint, email) if endpoint.controlled else ())]))


def _explanation(endpoint: Endpoint, email: str | None) -> Iterator[str]:
    failures = failures_at(endpoint)
    if email is not None:
        timeline = timeline_of(endpoint, email=email)
        yield from timeline.lines()
        if any(record["outcome"] == "queued" for record in timeline.records):
            yield '  hint        the latency has not passed yet: stackadapt.clock.advance("4h")'
        failures = failures.excluding(timeline)
    if failures:
        yield "Failures:" if email is None else "Other failures:"
        yield from (f"  {line}" for line in failures.lines(most=_MOST_FAILURES))


_SECONDS_BETWEEN = 2.0
_REJECTED = ("rejected", "suppressed", "pending")
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

        Returns the rejected records; with the reason WAITS_FOR_PROFILE, those that wait. Raises Unmet, and InputError
        for an unknown reason code.
        """
        __tracebackhide__ = True
        if reason is not None and reason not in REASONS:
            raise unknown("reason code", reason, REASONS, where="reason")
        records = [each for outcome in _REJECTED for each in self.records(outcome=outcome)]
        rejected = [each for each in records if each["advertiserId"] == self.advertiser_id]
        # A record that waits may still arrive, so it is found by its reason code only.
        meant = {each["reason"] for each in rejected if each["outcome"] != "pending"} if reason is None else {reason}
        found = [each for each in rejected if each["reason"] in meant and _is_about(each, email)]
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
        return [each for each in self.journal(**criteria) if status is not None or not each["refusal"]]

    def expect_segment(
        self, rule: Mapping[str, Any], *, size: int | None = None, members: Collection[str] | None = None
    ) -> Shown:
        """A segment with this rule has `size` members, or exactly these emails as members.

        Returns the segment. Raises Unmet with the warnings of the segment and the timeline of a missing member, and for
        no members where the rule names an unknown audience; InputError when neither is given.
        """
        __tracebackhide__ = True
        if size is None and members is None:
            message, hint = (
                "an expected size or members are required",
                "To read a segment, use stackadapt.segment(rule).",
            )
            raise InputError(message, where="expect_segment", allowed="size, members", hint=hint)
        segment = self.segment(rule)
        warned = "".join(f"\n  warning     {warning}" for warning in segment["warnings"])
        if size is not None and segment["size"] != size:
            raise unmet(self._endpoint, f"expected a segment with {size} members; it has {segment['size']}{warned}")
        if (size == 0 or members == []) and segment["unknownValues"]:
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
    if miss["refusal"]:
        credential = f" ({miss['credential']})" if miss["credential"] else ""
        return f"  near miss   {operations}: refused with {miss['status']}, {REFUSALS[miss['refusal']]}{credential}"
    found = ", ".join(map(str, miss["found"])) or "none"
    return f"  near miss   {operations}, {miss['status']}: {miss['differs']} is {found}, not {miss['expected']}"


def _given(**values: Any) -> Shown:
    return {name: value for name, value in values.items() if value is not None}
