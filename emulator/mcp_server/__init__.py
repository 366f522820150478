"""The server of the Model Context Protocol: tools with which an assistant debugs a sync.

Each tool is declared in `contracts/mcp-tools.yaml` and is a few requests to the control API of one emulator on this
machine. Only `session` imports the protocol's SDK, which the extra `mcp` installs.
"""

from emulator.mcp_server.tool_contract import Tool, tools
from emulator.mcp_server.toolbox import Toolbox

__all__ = ["Tool", "Toolbox", "tools"]
