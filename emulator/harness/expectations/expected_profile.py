"""A visible profile and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

from emulator.errors import nearest, unknown
from emulator.harness.client import Endpoint, Shown, checked
from emulator.harness.expectations.unmet import Unmet, unmet


@checked
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
        if audience not in self._audiences():
            names = ", ".join(f"{each['name']} ({each['id']})" for each in self._field("audiences")) or "no audience"
            raise self._unmet(f"to be in audience {audience!r}; it is in {names}")
        return self

    def not_in_audience(self, audience: str) -> Self:
        """It is not in an external audience.

        Raises InputError for an audience that neither the workspace nor any record names.
        """
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
        properties: Shown = self._field("properties")
        wanted = f"to have {name} = {value!r}"
        if name not in properties:
            hint = nearest(name, properties)
            known = ", ".join(sorted(properties)) or "none"
            found = f"its properties are {known}{f' ({hint})' if hint else ''}"
            raise self._unmet(f"{wanted}; {found}", property_=name)
        if properties[name] != value:
            raise self._unmet(f"{wanted}; it has {properties[name]!r}")
        return self

    def with_marketing_status(self, status: str) -> Self:
        """It has a marketing status, such as `OPTED_IN`."""
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

    def _unmet(self, wanted_and_found: str, *, property_: str | None = None) -> Unmet:
        message = f"expected the profile of {self.email} {wanted_and_found}"
        return unmet(self._endpoint, message, email=self.email, property_=property_)


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
