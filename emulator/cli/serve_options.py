"""The options of `serve`, which `start` takes too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from emulator.cli.start_findings import strict_option

_Command = TypeVar("_Command", bound=Callable[..., Any])

workspace_option = click.option(
    "--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON)."
)
replace_workspace_option = click.option(
    "--replace-workspace", is_flag=True, help="Use --workspace although the data was written with another one."
)
data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder for the data (default: in memory)."
)
latency_option = click.option(
    "--latency", help="Time until profiles are visible: instant, realistic, or a duration such as 4h."
)
api_version_option = click.option("--api-version", help="API version of StackAdapt: 2026-06, 2025-05 or 2024-12.")
_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option(
        "--port", default=8585, show_default=True, type=click.IntRange(0, 65535), help="0 selects a free one."
    ),
    workspace_option,
    click.option("--watch", is_flag=True, help="Apply the workspace file whenever it is saved; needs --workspace."),
    replace_workspace_option,
    data_option,
    click.option("--database", help="URL of a PostgreSQL database for the data; several processes may share it."),
    click.option(
        "--workers",
        default=1,
        show_default=True,
        type=click.IntRange(1, 64),
        help="Processes; several need --database.",
    ),
    click.option(
        "--uploads", type=click.Path(path_type=Path, file_okay=False), help="Folder whose files can be uploaded."
    ),
    latency_option,
    api_version_option,
    click.option(
        "--control-token",
        help="Token that the control API needs; generated when absent and --host is not a loopback address.",
    ),
    click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True),
    click.option("--log-pii", is_flag=True, help="Show email addresses in the log."),
    strict_option,
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print URLs, tokens and write keys as one JSON line."
)


def serve_options(command: _Command) -> _Command:
    """Adds every option that says how to run a server; not `--json`, which says how to print where it is."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
