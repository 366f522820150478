"""Mistakes in a sync, each found by an assistant that has the tools alone: `why`, and at most one call after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from mcp import Client

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.harness.client import Endpoint, in_process
from emulator.mcp_server import Toolbox
from emulator.mcp_server.session import server_of
from emulator.workspace import parse_workspace
from emulator.yaml_files import load_yaml

Given = dict[str, Any]
Call = tuple[str, Given]
VIP: Given = {"type": "identify", "user_id": "u1", "email": "ada@example.com", "traits": {"total_spent": 900}}
FIRST: Given = {**VIP, "user_id": "u0", "email": "first@example.com"}
DOCUMENT = load_yaml(fixture("workspace.yaml").read_text(encoding="utf-8"))


def of_destination(**changes: Any) -> Given:
    """The default workspace with members of its destination replaced."""
    document = deepcopy(DOCUMENT)
    document["destinations"][0] |= changes
    return document


def of_subscription(**changes: Any) -> Given:
    (subscription,) = DOCUMENT["destinations"][0]["subscriptions"]
    return of_destination(subscriptions=[{**subscription, **changes}])


def of_settings(**changes: str) -> Given:
    return of_destination(settings={**DOCUMENT["destinations"][0]["settings"], **changes})


MAPPING = DOCUMENT["destinations"][0]["subscriptions"][0]["mapping"]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """`sent` are the calls that make it; `stopped` are stage and reason of the answer, `found` words of it.

    `correction` is the kind of the change that lets the person through; `then` is a tool with words of its answer.
    """

    workspace: Given = field(default_factory=lambda: DOCUMENT)
    sent: Sequence[Call] = (("send_event", VIP),)
    stopped: tuple[str, str] | None
    found: str
    correction: str | None = None
    then: tuple[str, Given, str] | None = None


MISTAKES: Mapping[str, Mistake] = {
    "wrong token": Mistake(
        workspace=of_settings(apiKey="wrong"),
        stopped=("request", "401"),
        found="Correct the token",
        correction="credential",
        then=("find_requests", {"person": "u1"}, '"status": 401'),
    ),
    "mapping disabled": Mistake(
        workspace=of_subscription(enabled=False),
        stopped=("destination", "SUBSCRIPTION_DISABLED"),
        found="destinations[0].subscriptions[0].enabled is false",
        correction="workspace",
    ),
    "trigger never matches": Mistake(
        workspace=of_subscription(trigger='type = "track" and event = "Nope"'),
        stopped=("trigger", "NO_MATCHING_MAPPING"),
        found='event = "Nope"',
        correction="workspace",
        then=("test_mapping", {"trigger": 'type = "identify"'}, '"matched": true'),
    ),
    "missing email": Mistake(
        sent=(("send_event", {key: VIP[key] for key in ("type", "user_id", "traits")}),),
        stopped=("mapping", "PAYLOAD_VALIDATION_FAILED"),
        found="missing the required field 'email'",
        correction="trait",
    ),
    "consent is not given": Mistake(
        workspace=of_subscription(mapping={**MAPPING, "marketing_status": "Indeterminate"}),
        stopped=None,
        found="INDETERMINATE",
        then=("why", {"user_id": "u1", "property": "marketing_status"}, "the mapping's marketing_status sets it"),
    ),
    "audience not connected": Mistake(
        workspace=of_destination(audiences=[]),
        stopped=("destination", "NOT_CONNECTED"),
        found="connected to no destination",
        correction="workspace",
    ),
    "unknown advertiser": Mistake(
        workspace=of_settings(advertiser_id="9999"),
        stopped=("request", "USER_ERRORS"),
        found="Advertiser 9999 could not be found",
        correction="workspace",
    ),
    "another advertiser": Mistake(
        workspace=of_settings(advertiser_id="1002"), stopped=None, found="of advertiser 1002, visible since"
    ),
    "latency is not over": Mistake(
        workspace={**DOCUMENT, "ingestion": {**DOCUMENT["ingestion"], "latency": "4h"}},
        stopped=("latency", "NOT_DUE"),
        found="in 4h",
        correction="clock",
        then=("advance_clock", {"duration": "4h"}, '"now"'),
    ),
    "fault set": Mistake(
        sent=(("set_fault", {"fault": {"fault": "status", "status": 503}}), ("send_event", VIP)),
        stopped=("request", "503"),
        found="by the fault status",
        correction="fault",
        then=("set_fault", {"clear": True}, '"faults": []'),
    ),
    "fault that looks like a mistake": Mistake(
        sent=(("set_fault", {"fault": {"fault": "userErrors"}}), ("send_event", VIP)),
        stopped=("request", "USER_ERRORS"),
        found="Remove the fault unless it has ended",
        correction="fault",
    ),
    "rate limit": Mistake(
        workspace={**DOCUMENT, "rateLimit": {"requests": 1, "per": "1h"}},
        sent=(("send_event", FIRST), ("send_event", VIP)),
        stopped=("request", "429"),
        found="by the rate limit",
        correction="workspace",
        then=("find_requests", {"fault": "rateLimit"}, '"total": 1'),
    ),
    "nothing was sent": Mistake(sent=(), stopped=("call", "NO_CALL"), found="Check the host that the client sends to"),
}

Talk = Callable[[Given, Callable[[Client], Any]], Any]


@pytest.fixture
def talk() -> Iterator[Talk]:
    """A conversation with the tools of an emulator of a workspace, by the SDK's own client."""
    with ExitStack() as opened:

        def talk(workspace: Given, conversation: Callable[[Client], Any]) -> Any:
            emulator = opened.enter_context(Emulator(parse_workspace(workspace)))

            @contextmanager
            def endpoint() -> Iterator[Endpoint]:
                with in_process(emulator.app) as found:
                    yield found

            async def run() -> Any:
                async with Client(server_of(Toolbox(endpoint, sandbox="default"))) as client:
                    return await conversation(client)

            return anyio.run(run)

        yield talk


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found_in_two_calls(talk: Talk, mistake: Mistake) -> None:
    async def debug(client: Client) -> list[Any]:
        for name, given in mistake.sent:
            assert not (await client.call_tool(name, given)).is_error
        asked = [await client.call_tool("why", {"user_id": "u1"})]
        if mistake.then is not None:
            asked.append(await client.call_tool(mistake.then[0], mistake.then[1]))
        return asked

    asked, *after = talk(mistake.workspace, debug)
    answer = asked.structured_content["answer"]
    stopped = answer["stopped"]
    assert (stopped and (stopped["stage"], stopped["reason"])) == mistake.stopped, answer["text"]
    assert mistake.found in answer["text"]
    assert {each["kind"] for each in answer["changes"]} == ({mistake.correction} - {None}), answer["text"]
    for each in after:
        assert mistake.then is not None
        assert mistake.then[2] in each.content[0].text
