"""The tools over the Model Context Protocol, by its SDK. Imported only where the extra `mcp` is installed."""

from __future__ import annotations

import json
import traceback
from typing import Any, Final

import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ProtocolTool

from emulator import __version__
from emulator.errors import EmulatorDefect, EmulatorError, UnknownName
from emulator.mcp_server.tool_contract import Tool, tool_named, tools
from emulator.mcp_server.toolbox import Toolbox

INSTRUCTIONS: Final = """\
A local emulator of the sync of Segment Engage audiences into StackAdapt. Nothing here reaches the real services.
For a missing profile, property or membership ask `why` first; it says where the person stopped and what to change.
Every answer has `provenance`: when and where it was observed, and whether the behaviour behind it is documented,
introspected, probed, client, third-party or assumed. Say so when a conclusion rests on something assumed.\
"""

_LONGEST_ERROR: Final = 2000


def server_of(toolbox: Toolbox) -> Server[Any]:
    """A server of the protocol with the tools."""

    async def list_tools(_context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_declared(tool) for tool in tools().values()])

    async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
        try:
            tool_named(params.name)
        except UnknownName as error:
            raise MCPError(INVALID_PARAMS, str(error)) from None
        return await anyio.to_thread.run_sync(_result_of, toolbox, params.name, params.arguments or {})

    return Server(
        "stackadapt-emulator",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve_stdio(toolbox: Toolbox) -> None:
    """Serves until standard input ends. Standard output is the protocol's; what is printed goes to standard error."""

    async def serve() -> None:
        server = server_of(toolbox)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(serve)


def _declared(tool: Tool) -> ProtocolTool:
    return ProtocolTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=dict(tool.input),
        output_schema=dict(tool.output),
        annotations=ToolAnnotations(
            read_only_hint=not tool.destructive,
            destructive_hint=tool.destructive,
            idempotent_hint=not tool.destructive,
            open_world_hint=False,
        ),
    )


def _result_of(toolbox: Toolbox, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """The answer of a tool, or its error: an assistant is to read and correct it."""
    try:
        answer = toolbox.call(name, arguments)
    except EmulatorError as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - any other exception is a bug in the emulator
        traceback.print_exc()
        message = " ".join(f"this is a bug in the emulator: {type(error).__name__}: {error}".split())
        return _failed(EmulatorDefect(message, hint="Standard error of the server says where it happened."))
    # As text, too: not every client reads structured content.
    text = json.dumps(answer, ensure_ascii=False)
    return CallToolResult(content=[TextContent(text=text)], structured_content=answer)


def _failed(error: EmulatorError) -> CallToolResult:
    text = str(error)
    if len(text) > _LONGEST_ERROR:
        # What was found may be a whole argument, which the assistant has; the remedy is at the end.
        half = _LONGEST_ERROR // 2
        text = f"{text[:half]} … {text[-half:]}"
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
