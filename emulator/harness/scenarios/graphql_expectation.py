"""The expected GraphQL responses: the one expectation that needs no emulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx

from emulator.harness.client import Content, body_in, errors_in, user_errors_in
from emulator.harness.scenarios.format import says, short
from emulator.harness.scenarios.model import Check, Document
from emulator.harness.scenarios.run import ScenarioRun


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLResponses:
    """The responses to the documents of this step, in order."""

    needs_emulator: ClassVar[bool] = False

    expected: tuple[Document, ...]

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        wanted, found = len(self.expected), len(run.responses)
        yield Check(expected=f"documents answered: {wanted}", found=str(found), passed=found == wanted)
        for expected, response in zip(self.expected, run.responses, strict=False):
            yield from _checks(expected, response)


def _checks(expected: Document, response: httpx.Response) -> Iterator[Check]:
    body = body_in(response.text)
    if (status := expected.get("status")) is not None:
        found = response.status_code
        yield Check(expected=f"status: {status}", found=f"{found} {short(response.text)}", passed=found == status)
    if "data" in expected:
        passed = "data" in body and agrees(body["data"], expected["data"])
        yield Check(expected=f"data containing {short(expected['data'])}", found=short(response.text), passed=passed)
    for name, messages in (("errors", _messages(errors_in(body))), ("userErrors", _messages(user_errors_in(body)))):
        if name in expected:
            parts = expected[name]
            passed = len(messages) == len(parts) and all(map(says, messages, parts))
            yield Check(expected=f"{name}: {short(parts)}", found=short(messages), passed=passed)


def agrees(found: Any, expected: Any) -> bool:
    """Whether the expected fields are present with these values. The items of an array must all agree, in order."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(agrees(found.get(key), value) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(agrees, found, expected))
    return bool(found == expected) and isinstance(found, bool) == isinstance(expected, bool)


def _messages(errors: Iterable[Content]) -> list[str]:
    return [str(error.get("message")) for error in errors]
