"""The expected GraphQL responses: the one expectation that needs no emulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx

from emulator.harness.client import Shown, body_in, errors_in, user_errors_in
from emulator.harness.scenarios.format import says, short
from emulator.harness.scenarios.model import Check, Document, FindPerson
from emulator.harness.scenarios.run import Expectation, ScenarioRun


def graphql_responses(given: list[Document], _: FindPerson) -> Expectation:
    """The responses to the documents of this step, in order."""

    def check(run: ScenarioRun) -> Iterator[Check]:
        wanted, found = len(given), len(run.responses)
        yield Check(expected=f"documents answered: {wanted}", found=str(found), passed=found == wanted)
        for expected, response in zip(given, run.responses, strict=False):
            yield from _checks(expected, response)

    return Expectation(check=check, needs_emulator=False)


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


def _messages(errors: Iterable[Shown]) -> list[str]:
    return [str(error.get("message")) for error in errors]
