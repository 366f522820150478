"""The tools as a client of the protocol meets them: the SDK's own client, in memory."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from emulator.mcp_server import Toolbox, tools
from emulator.mcp_server.session import server_of


def talk(toolbox: Toolbox, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Client(server_of(toolbox)) as client:
            return await conversation(client)

    return anyio.run(run)


def test_each_tool_is_listed_with_its_schemas_and_what_it_changes(toolbox: Toolbox) -> None:
    listed = talk(toolbox, lambda client: client.list_tools()).tools
    assert [tool.name for tool in listed] == list(tools())
    changing = {tool.name for tool in listed if not tool.annotations.read_only_hint}
    assert changing == {"send_event", "advance_clock", "set_fault"}
    for tool in listed:
        assert tool.annotations.destructive_hint == (tool.name in changing)
        assert tool.annotations.open_world_hint is False
        assert "show_personal_data" in tool.input_schema["properties"]
        assert tool.output_schema["required"] == ["answer", "provenance"]


def test_a_missing_person_is_found_in_three_calls(toolbox: Toolbox) -> None:
    """The first name breaks the document. `why` says so; without the quotes the person arrives."""

    async def debug(client: Client) -> list[Any]:
        traits = {"first_name": 'Ada "Countess" King', "total_spent": 900}
        sent = {"type": "identify", "user_id": "u1", "email": "ada@example.com"}
        await client.call_tool("send_event", {**sent, "traits": traits})
        # What an assistant does from here on.
        asked = await client.call_tool("why", {"email": "ada@example.com"})
        (change,) = asked.structured_content["answer"]["changes"]
        trait = change["where"].removeprefix("traits.")
        corrected = {trait: traits[trait].replace('"', "")}
        entered = {**sent, "type": "audience-entered", "audience": "vip_customers", "traits": corrected}
        again = await client.call_tool("send_event", entered)
        now = await client.call_tool("why", {"email": "ada@example.com"})
        return [asked, again, now]

    asked, again, now = talk(toolbox, debug)
    stopped = asked.structured_content["answer"]["stopped"]
    assert (stopped["stage"], stopped["reason"]) == ("request", "GRAPHQL_ERRORS")
    assert again.structured_content["answer"]["result"] == "reached"
    assert now.structured_content["answer"]["arrived"]
    assert json.loads(now.content[0].text) == now.structured_content


def test_a_mistake_is_an_error_of_the_tool(toolbox: Toolbox) -> None:
    result = talk(toolbox, lambda client: client.call_tool("advance_clock", {"duration": "4 parsecs"}))
    assert result.is_error
    assert result.structured_content is None
    assert result.content[0].text.startswith("duration: this string has the wrong format. Found: '4 parsecs'.")


def test_an_error_does_not_repeat_a_long_argument(toolbox: Toolbox) -> None:
    result = talk(toolbox, lambda client: client.call_tool("plan", {"generation": "x" * 100_000}))
    (content,) = result.content
    assert len(content.text) < 3000
    assert content.text.startswith("destination 'StackAdapt Acme': generation: unknown generation ")
    assert content.text.endswith("3.517.0.")


def test_a_bug_is_an_error_of_the_tool_and_a_traceback_on_standard_error(
    toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("nothing to divide")

    monkeypatch.setattr(Toolbox, "call", broken)
    result = talk(toolbox, lambda client: client.call_tool("why", {}))
    assert result.is_error
    assert "this is a bug in the emulator: ZeroDivisionError: nothing to divide" in result.content[0].text
    assert "in broken" in capfd.readouterr().err


def test_an_unknown_tool_is_an_error_of_the_protocol(toolbox: Toolbox) -> None:
    async def ask(client: Client) -> MCPError:
        with pytest.raises(MCPError) as raised:
            await client.call_tool("wy", {})
        return raised.value

    error = talk(toolbox, ask)
    assert error.code == INVALID_PARAMS
    assert "unknown tool 'wy'" in str(error)
    assert "Did you mean 'why'?" in str(error)
