"""The checked settings of an instance, and its requests to the endpoint of the generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.mapping.definition import Definition
from emulator.mapping.engine_errors import AggregateAjvError
from emulator.mapping.http_request import graphql_request
from emulator.mapping.javascript.values import UNDEFINED, to_string
from emulator.mapping.schema import PayloadCheck, Violation
from emulator.mapping.wire import OutgoingRequest


class CheckedSettings:
    """Settings checked once; violations are raised when the settings are used."""

    def __init__(self, definition: Definition, given: Mapping[str, Any]) -> None:
        self.definition = definition
        self._given = dict(given)
        self._checked = PayloadCheck(definition.settings).settings(self._given)

    @property
    def values(self) -> dict[str, Any]:
        """The settings as the engine sees them, all strings. Raises AggregateAjvError if they are invalid."""
        if isinstance(self._checked, Violation):
            raise AggregateAjvError(self._checked.message)
        return self._checked

    def check(self) -> None:
        """Raises AggregateAjvError if the settings are invalid; the engine does this before anything else."""
        _ = self.values

    def request(self, document: str) -> OutgoingRequest:
        """The request for a document. Raises EngineTypeError for a token illegal in a header."""
        return graphql_request(self.definition.endpoint, self.values["apiKey"], document)

    def unchecked_request(self, document: str) -> OutgoingRequest:
        """The same with the unchecked token: dynamic fields are requested before the settings are complete."""
        token = to_string(self._given.get("apiKey", UNDEFINED))
        return graphql_request(self.definition.endpoint, token, document)
