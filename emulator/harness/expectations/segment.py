"""Expectations of the Segment service: its calls, deliveries and audience memberships."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from emulator.errors import InputError, unknown
from emulator.harness.client import SegmentClient, Shown, checked, delivery_line
from emulator.harness.expectations.criteria import Criteria, check_times, given
from emulator.harness.expectations.unmet import unmet

_TYPES = ("identify", "track", "page", "screen", "group", "alias", "batch")


@checked
class ExpectingSegment(SegmentClient):
    """The source and the Engage space of one write key, and expectations of them."""

    def expect_delivery(
        self,
        *,
        user_id: str | None = None,
        email: str | None = None,
        message_id: str | None = None,
        outcome: str | None = None,
        reason: str | None = None,
        destination: str | None = None,
        times: int | None = None,
    ) -> list[Shown]:
        """Events were delivered, or not, with these values: at least one, or exactly `times`.

        Returns them. Raises Unmet with near misses and the timeline, InputError for an unknown outcome or destination.
        """
        check_times(times, where="expect_delivery")
        criteria = Criteria(
            what=("delivery", "deliveries"),
            wanted=given(
                user_id=user_id,
                email=email,
                message_id=message_id,
                outcome=outcome,
                reason=reason,
                destination=destination,
            ),
            times=times,
            facts=_facts_of_delivery,
            line=delivery_line,
        )
        # The emulator knows the names of outcomes and destinations.
        listed = self.deliveries(
            **given(outcome=outcome, destination=destination, userId=user_id, email=email, messageId=message_id)
        )
        found = criteria.matching(listed)
        if not criteria.met_by(found):
            self._fail(criteria, self.deliveries(), email, user_id)
        return found

    def expect_call(
        self,
        *,
        user_id: str | None = None,
        email: str | None = None,
        message_id: str | None = None,
        type: str | None = None,  # noqa: A002 - the name in Segment's calls
        accepted: bool | None = None,
        reason: str | None = None,
        times: int | None = None,
    ) -> list[Shown]:
        """The Tracking API received calls with these values: at least one, or exactly `times`.

        Returns them. Raises Unmet with near misses and how many calls came in, InputError for an unknown type.
        """
        check_times(times, where="expect_call")
        if type is not None and type not in _TYPES:
            raise unknown("type of call", type, _TYPES, where="expect_call: type")
        criteria = Criteria(
            what=("call", "calls"),
            wanted=given(
                user_id=user_id, email=email, message_id=message_id, type=type, accepted=accepted, reason=reason
            ),
            times=times,
            facts=_facts_of_call,
            line=_call_line,
        )
        calls = self.calls()
        found = criteria.matching(calls)
        if not criteria.met_by(found):
            self._fail(criteria, calls, email, user_id)
        return found

    def expect_membership(
        self, audience_key: str, *, user_id: str | None = None, email: str | None = None, entered: bool = True
    ) -> list[Shown]:
        """A person is a member of an audience of the Engage space, or not with `entered=False`.

        Returns the profiles of the person. Raises Unmet with the timeline, also for a person whom the space does not
        know, and InputError for an unknown audience or without a person.
        """
        if user_id is None and email is None:
            raise InputError("a person is required", where="expect_membership", allowed="user_id, email")
        keys = [audience["key"] for audience in self.audiences()]
        if audience_key not in keys:
            raise unknown("audience", audience_key, keys, where="expect_membership")
        criteria = given(userId=user_id, email=email)
        known = list(self._endpoint.control.pages("space/profiles", "profiles", **criteria))
        members = [profile for profile in known if audience_key in profile["audiences"]]
        if known and bool(members) == entered:
            return known
        who = " and ".join(f"{name} {value!r}" for name, value in given(user_id=user_id, email=email).items())
        wanted = f"expected the profile with {who} {'' if entered else 'not '}to be in audience {audience_key!r}"
        if not known:
            found = "the Engage space has no such profile"
        elif members:
            found = "it is"
        else:
            audiences = sorted({key for profile in known for key in profile["audiences"]})
            found = f"it is in {', '.join(audiences) or 'no audience'}"
        raise unmet(self._endpoint, f"{wanted}; {found}", email=email, user_id=user_id)

    def _fail(self, criteria: Criteria, items: Sequence[Shown], email: str | None, user_id: str | None) -> None:
        lines = [criteria.failure(items), *self._calls_that_came_in()]
        if email is None and user_id is None:
            users = {item["userId"] for item in (*criteria.matching(items), *criteria.nearest(items))}
            user_id = users.pop() if len(users) == 1 else None
        raise unmet(self._endpoint, "\n".join(lines), email=email, user_id=user_id)

    def _calls_that_came_in(self) -> Iterator[str]:
        calls = self.calls()
        if not calls:
            yield "  calls       none came in"
            return
        dropped = sum(not call["accepted"] for call in calls)
        yield f"  calls       {len(calls)} came in ({dropped} not accepted), the last at {calls[-1]['at']}"


def _facts_of_delivery(delivery: Shown) -> Mapping[str, Sequence[object]]:
    payload = delivery["payload"]
    context = payload.get("context")
    of_context = context.get("traits") if isinstance(context, dict) else None
    holders = (payload.get("traits"), of_context, payload.get("properties"))
    return {
        "user_id": [delivery["userId"]],
        "email": list(dict.fromkeys(each["email"] for each in holders if isinstance(each, dict) and "email" in each)),
        "message_id": [delivery["messageId"]],
        "outcome": [delivery["outcome"]],
        "reason": [delivery["reason"]],
        "destination": [delivery["destination"]],
    }


def _facts_of_call(call: Shown) -> Mapping[str, Sequence[object]]:
    return {
        "user_id": [call["userId"]],
        "email": [call["email"]],
        "message_id": [call["messageId"]],
        "type": [call["call"]],
        "accepted": [call["accepted"]],
        "reason": [call["reason"]],
    }


def _call_line(call: Shown) -> str:
    who = f" of {call['userId'] or call['email']}" if call["userId"] or call["email"] else ""
    message_id = f" ({call['messageId']})" if call["messageId"] else ""
    return f"{call['call']}{who}{message_id}: {_outcome(call)}"


def _outcome(call: Shown) -> str:
    if call["accepted"]:
        return "accepted"
    if call["status"] < 400:
        return f"dropped, {call['reason']}"
    return f"refused with {call['status']}, {call['reason']}: {call['message']}"
