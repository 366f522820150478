"""Segment as a test sees it: calls go in by the Tracking API, people enter and leave audiences, deliveries come out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from emulator.errors import InputError
from emulator.harness.client.control import refusal_in
from emulator.harness.client.endpoint import Endpoint, NoControl

Shown = dict[str, Any]


class SegmentClient:
    """The source and the Engage space behind one write key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def write_key(self) -> str:
        """The write key to give to an SDK. Raises NoControl where no Segment listens."""
        if self._endpoint.write_key is None:
            raise NoControl("no Segment listens here", where=self._endpoint.url)
        return self._endpoint.write_key

    @property
    def host(self) -> str:
        """The host to give to an SDK."""
        return self._endpoint.url

    def identify(self, user_id: str | None = None, traits: Mapping[str, Any] | None = None, **members: Any) -> None:
        """An identify call. `members` are further ones of the call, as Segment names them: `anonymousId`, `context`."""
        self.call("identify", {**_named(user_id), "traits": dict(traits or {}), **members})

    def track(
        self, user_id: str | None, event: str, properties: Mapping[str, Any] | None = None, **members: Any
    ) -> None:
        """A track call."""
        self.call("track", {**_named(user_id), "event": event, "properties": dict(properties or {}), **members})

    def call(self, route: str, body: Mapping[str, Any]) -> httpx.Response:
        """Posts to `/v1/<route>` (`identify`, `track`, …, `batch`). Raises InputError when it is refused."""
        answer = self._endpoint.client.post(f"/v1/{route}", json=dict(body), auth=(self.write_key, ""))
        if refused := refusal_in(answer):
            raise refused
        return answer

    def enter_audience(
        self,
        audience: str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
    ) -> list[Shown]:
        """Puts a person into an audience as if Engage had just computed it so; gives the events it emitted.

        Without `user_id` it is whoever has the email (see `user_id_of`).
        """
        return self._place(audience, "enter", email, user_id, traits)

    def exit_audience(
        self,
        audience: str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
    ) -> list[Shown]:
        """Takes a person out of an audience."""
        return self._place(audience, "exit", email, user_id, traits)

    def delete(self, user_id: str) -> Shown:
        """A deletion regulation for a user: `{"userId", "deleted", "destinations"}`."""
        return self._endpoint.control.post("regulations", {"userId": user_id})

    def user_id_of(self, email: str | None) -> str:
        """The user id of whoever has this email in the space; for a stranger one made from it, always the same.

        Raises InputError without an email.
        """
        if not email:
            raise InputError("a person has a user id or an email", allowed="user_id, email")
        known = self._endpoint.control.get("space/profiles", email=email)["profiles"]
        return next((profile["userId"] for profile in known if profile["userId"]), None) or made_user_id(email)

    def deliveries(self, **filters: Any) -> list[Shown]:
        """What became of each event: filter by `outcome`, `destination`, `userId`."""
        return list(self._endpoint.control.pages("deliveries", "deliveries", **filters))

    def audiences(self) -> list[Shown]:
        """The audiences with sizes and warnings."""
        return list(self._endpoint.control.get("audiences")["audiences"])

    def _place(
        self, audience: str, way: str, email: str | None, user_id: str | None, traits: Mapping[str, Any] | None
    ) -> list[Shown]:
        body: Shown = {"userId": user_id or self.user_id_of(email)}
        if email is not None:
            body["email"] = email
        if traits:
            body["traits"] = dict(traits)
        return list(self._endpoint.control.post(f"audiences/{quote(audience, safe='')}/{way}", body)["events"])


def made_user_id(email: str) -> str:
    """A user id for somebody of whom only the email is known."""
    return f"user-{hashlib.sha256(email.strip().lower().encode()).hexdigest()[:12]}"


def _named(user_id: str | None) -> dict[str, Any]:
    return {} if user_id is None else {"userId": user_id}
