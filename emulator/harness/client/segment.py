"""The Segment service for tests: Tracking API calls, audience membership, deliveries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from emulator.errors import InputError
from emulator.harness.client.arguments import check_keys, checked
from emulator.harness.client.control import refusal_in
from emulator.harness.client.endpoint import Endpoint, NoControl
from emulator.harness.client.lines import Shown

Traits = Mapping[str, Any]

# The fields of a call besides its own, in Segment's "Spec: Common Fields".
_FIELDS = (
    "anonymousId",
    "context",
    "integrations",
    "messageId",
    "originalTimestamp",
    "sentAt",
    "timestamp",
    "writeKey",
)

if TYPE_CHECKING:
    import httpx
_FREE = "Traits and properties are given as a dict; call(route, body) sends any other body."


@checked
class SegmentClient:
    """The source and the Engage space of one write key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def write_key(self) -> str:
        """The write key to configure in an SDK. Raises NoControl where there is no Segment service."""
        if self._endpoint.write_key is None:
            raise NoControl("no Segment service at this endpoint", where=self._endpoint.url)
        return self._endpoint.write_key

    @property
    def host(self) -> str:
        """The host to configure in an SDK."""
        return self._endpoint.url

    def identify(self, user_id: str | None = None, traits: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Sends an identify call. `fields` are further fields of the call: `anonymousId`, `context`.

        Raises UnknownName for a field that no call has.
        """
        check_keys(fields, ("user_id", "traits", *_FIELDS), where="identify", hint=_FREE)
        self.call("identify", {**_user(user_id), "traits": dict(traits or {}), **fields})

    def track(
        self, user_id: str | None, event: str, properties: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        """Sends a track call. `fields` are as for `identify`."""
        check_keys(fields, ("user_id", "event", "properties", *_FIELDS), where="track", hint=_FREE)
        self.call("track", {**_user(user_id), "event": event, "properties": dict(properties or {}), **fields})

    def call(self, route: str, body: Mapping[str, Any]) -> httpx.Response:
        """Posts to `/v1/<route>` (`identify`, `track`, …, `batch`). Raises InputError when it is refused."""
        response = self._endpoint.client.post(f"/v1/{route}", json=dict(body), auth=(self.write_key, ""))
        if refused := refusal_in(response):
            raise refused
        return response

    def enter_audience(
        self, audience: str, *, email: str | None = None, user_id: str | None = None, traits: Traits | None = None
    ) -> list[Shown]:
        """Puts a user into an audience, as if Engage had just computed it. Returns the events that were emitted.

        Without `user_id` the user is found by email (see `user_id_of`).
        """
        return self._set_membership(audience, "enter", email, user_id, traits)

    def exit_audience(
        self, audience: str, *, email: str | None = None, user_id: str | None = None, traits: Traits | None = None
    ) -> list[Shown]:
        """Removes a user from an audience. Returns the events that were emitted."""
        return self._set_membership(audience, "exit", email, user_id, traits)

    def compute(self, audience: str, *, destination: str | None = None, resync: bool = False) -> Shown:
        """Computes an audience for all profiles; with `destination`, present members are sent there as well, with
        `resync` also where the audience does not include historical data. Returns `{"profiles", "entered", "left",
        "events"}` and with `destination` `"sent"`.
        """
        body = {} if destination is None else {"destination": destination, "resync": resync}
        return self._endpoint.control.post(f"audiences/{quote(audience, safe='')}/compute", body)

    def delete(self, user_id: str) -> Shown:
        """Requests the regulation DELETE_ONLY for a user: `{"userId", "deleted", "destinations"}`."""
        return self._endpoint.control.post("regulations", {"userId": user_id})

    def regulate(self, regulation_type: str, *user_ids: str) -> Shown:
        """Requests a regulation: `SUPPRESS_WITH_DELETE`, `SUPPRESS_ONLY`, `UNSUPPRESS`, `DELETE_ONLY`, ….

        Returns it: `{"id", "regulationType", "overallStatus", "subjects", …}`.
        """
        body = {"regulationType": regulation_type, "subjectType": "USER_ID", "subjectIds": list(user_ids)}
        return self._endpoint.control.post("regulations", body)

    def suppressions(self) -> list[Shown]:
        """The users whose calls are dropped: `{"userId", "since"}`."""
        return list(self._endpoint.control.pages("suppressions", "suppressions"))

    def user_id_of(self, email: str | None) -> str:
        """The user id that the space has for an email; for an unknown email, one derived from it.

        Raises InputError without an email.
        """
        if not email:
            raise InputError("a user id or an email is required", allowed="user_id, email")
        known = self._endpoint.control.get("space/profiles", email=email)["profiles"]
        return next((profile["userId"] for profile in known if profile["userId"]), None) or derived_user_id(email)

    def deliveries(self, **filters: Any) -> list[Shown]:
        """The outcome of each event; filter by `outcome`, `destination`, `userId`."""
        return list(self._endpoint.control.pages("deliveries", "deliveries", **filters))

    def calls(self, **filters: Any) -> list[Shown]:
        """The calls that came in, oldest first; filter by `accepted`, `userId`, `email`, `messageId`."""
        return list(self._endpoint.control.pages("calls", "calls", **filters))

    def audiences(self) -> list[Shown]:
        """The audiences with sizes and warnings."""
        return list(self._endpoint.control.get("audiences")["audiences"])

    def funnel(self, *, destination: str | None = None, since: str | None = None) -> Shown:
        """Segment's steps with counts, reasons and samples, and how the deliveries ended at StackAdapt: `steps`,
        `stackadapt`, `totals`, `imbalances`; from a time or a duration ago on.
        """
        return self._endpoint.control.get("funnel", destination=destination, since=since)

    def _set_membership(
        self, audience: str, change: str, email: str | None, user_id: str | None, traits: Traits | None
    ) -> list[Shown]:
        body: Shown = {"userId": user_id or self.user_id_of(email)}
        if email is not None:
            body["email"] = email
        if traits:
            body["traits"] = dict(traits)
        return list(self._endpoint.control.post(f"audiences/{quote(audience, safe='')}/{change}", body)["events"])


def derived_user_id(email: str) -> str:
    """A user id for an email that has none: the same for every spelling of it."""
    return f"user-{hashlib.sha256(email.strip().lower().encode()).hexdigest()[:12]}"


def _user(user_id: str | None) -> dict[str, Any]:
    return {} if user_id is None else {"userId": user_id}
