"""What a GraphQL answer must be like: the one expectation that needs no emulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import httpx

from emulator.harness.client.graphql_response import Content, body_in, errors_in, user_errors_in
from emulator.harness.scenarios.actions import Document
from emulator.harness.scenarios.format import agrees, all_say, short
from emulator.harness.scenarios.results import Check
from emulator.harness.scenarios.stage import ScenarioRun


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLResponses:
    """StackAdapt answered the documents of this step like this."""

    needs_emulator: ClassVar[bool] = False

    expected: tuple[Document, ...]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        found = len(stage.answers)
        yield Check(
            expected=f"documents answered: {len(self.expected)}", found=str(found), passed=found == len(self.expected)
        )
        for expected, answer in zip(self.expected, stage.answers, strict=False):
            yield from _compared(expected, answer)


def _compared(expected: Document, answer: httpx.Response) -> Iterator[Check]:
    body = body_in(answer.text)
    if (status := expected.get("status")) is not None:
        found = answer.status_code
        yield Check(expected=f"status: {status}", found=f"{found} {short(answer.text)}", passed=found == status)
    if "data" in expected:
        data = body.get("data")
        text = f"data containing {short(expected['data'])}"
        yield Check(expected=text, found=short(answer.text), passed="data" in body and agrees(data, expected["data"]))
    for name, messages in (("errors", _messages(errors_in(body))), ("userErrors", _messages(user_errors_in(body)))):
        if name in expected:
            passed = all_say(messages, expected[name])
            yield Check(expected=f"{name}: {short(expected[name])}", found=short(messages), passed=passed)


def _messages(errors: Iterable[Content]) -> list[str]:
    return [str(error.get("message")) for error in errors]
