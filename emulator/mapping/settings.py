"""How an instance reaches the provider: the generation's endpoint and the checked settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.mapping.definition import Definition
from emulator.mapping.engine_errors import AggregateAjvError
from emulator.mapping.http_request import graphql_request
from emulator.mapping.javascript.values import UNDEFINED, to_string
from emulator.mapping.schema import Complaint, PayloadCheck
from emulator.mapping.wire import OutgoingRequest


class Connection:
    """Settings as a customer gave them, checked once; what is wrong with them shows when they are used."""

    def __init__(self, definition: Definition, given: Mapping[str, Any]) -> None:
        self.definition = definition
        self._given = dict(given)
        self._checked = PayloadCheck(definition.settings).settings(self._given)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as the engine sees them, all text. Raises AggregateAjvError when they do not fit."""
        if isinstance(self._checked, Complaint):
            raise AggregateAjvError(self._checked.message)
        return self._checked

    def check_settings(self) -> None:
        """Raises AggregateAjvError when the settings do not fit: that comes before anything else in a call."""
        _ = self.settings

    def request(self, document: str) -> OutgoingRequest:
        """A document on its way. Raises EngineTypeError for a token that cannot stand in a header."""
        return graphql_request(self.definition.endpoint, self.settings["apiKey"], document)

    def unchecked_request(self, document: str) -> OutgoingRequest:
        """The same with the token as it was given: dynamic fields are asked for before a set-up is complete."""
        token = to_string(self._given.get("apiKey", UNDEFINED))
        return graphql_request(self.definition.endpoint, token, document)
