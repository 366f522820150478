"""What is expected of one visible profile."""

from __future__ import annotations

from typing import Any, Self

from emulator.errors import InputError, nearest
from emulator.harness.client import Endpoint
from emulator.harness.expectations.known_audiences import known_audiences
from emulator.harness.expectations.unmet import Unmet, unmet

Shown = dict[str, Any]


class ExpectedProfile:
    """A profile that is there. Each method gives the same profile back, so that expectations form a chain.

    Raises NoControl for what an endpoint's GraphQL does not show of a profile: properties and audiences.
    """

    def __init__(self, endpoint: Endpoint, shown: Shown) -> None:
        self._endpoint = endpoint
        self.shown = shown

    @property
    def email(self) -> str:
        """As StackAdapt keeps it."""
        return str(self.shown["email"])

    def in_audience(self, audience: str) -> Self:
        """It is in an external audience, by the audience's id or by its name, which is the snake_case key."""
        __tracebackhide__ = True
        if audience not in self._audiences():
            raise self._unmet(f"be in audience {audience!r}", f"is in {self._audience_names()}")
        return self

    def not_in_audience(self, audience: str) -> Self:
        """It is not in an external audience.

        Raises InputError for one of which neither the workspace nor any record knows: nobody could be in it.
        """
        __tracebackhide__ = True
        if audience in self._audiences():
            raise self._unmet(f"not be in audience {audience!r}", "is in it")
        known = known_audiences(self._endpoint)
        if not known.has(audience):
            raise InputError(
                "neither the workspace nor any record knows this audience, so nobody could be in it",
                where="not_in_audience",
                found=audience,
                allowed=", ".join(known.names) or None,
                hint=nearest(audience, known.names),
            )
        return self

    def with_property(self, name: str, value: object) -> Self:
        """It has a property with a value, both as StackAdapt keeps them: `with_property("city", "Paris")`."""
        __tracebackhide__ = True
        properties: Shown = self._member("properties")
        wanted = f"have {name} = {value!r}"
        if name not in properties:
            known = ", ".join(sorted(properties)) or "none at all"
            hint = nearest(name, properties)
            raise self._unmet(wanted, f"has no such property, but {known}{f' ({hint})' if hint else ''}")
        if properties[name] != value:
            raise self._unmet(wanted, f"has {properties[name]!r}")
        return self

    def with_marketing_status(self, status: str) -> Self:
        """It has a marketing status, such as `OPTED_IN`."""
        __tracebackhide__ = True
        found = self._member("marketingStatus")
        if found != status:
            raise self._unmet(f"be {status}", f"is {found}")
        return self

    def _audiences(self) -> set[str]:
        return {audience[key] for audience in self._member("audiences") for key in ("id", "name")}

    def _audience_names(self) -> str:
        return ", ".join(f"{each['name']} ({each['id']})" for each in self._member("audiences")) or "none"

    def _member(self, name: str) -> Any:
        if name not in self.shown:
            self._endpoint.control  # noqa: B018 - raises: only an emulator shows it
        return self.shown[name]

    def _unmet(self, wanted: str, found: str) -> Unmet:
        return unmet(self._endpoint, f"The profile of {self.email} should {wanted}, and {found}.", email=self.email)
