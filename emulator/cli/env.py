"""`env`: the environment variables by which a program finds a running server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import click
import httpx

from emulator.cli.client_variables import LISTED, variables_of
from emulator.cli.own_server import running_server, server_option
from emulator.cli.remote import control_token_option
from emulator.cli.running import unreachable
from emulator.errors import EmulatorError
from emulator.harness.client import sandbox_at

_EPILOG = f"""\b
Examples:
  eval "$(stackadapt-emulator env)"
  stackadapt-emulator env --format github >> "$GITHUB_ENV"
  stackadapt-emulator env --format json --url http://127.0.0.1:9000
\b
Variables:
{LISTED}
STACKADAPT_EMULATOR_CONTROL_TOKEN is among them when the emulator needs its control token.
\b
Exit codes: 0 ok, 1 no server is running, 2 bad usage.
"""


@click.command(epilog=_EPILOG)
@server_option
@control_token_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["sh", "github", "json"]),
    default="sh",
    show_default=True,
    help="Commands of a shell, lines of a file of GitHub Actions, or one JSON object.",
)
def command(url: str | None, form: str) -> None:
    """Print the environment variables for the server last started from this folder, as `exec` sets them."""
    try:
        variables = _variables(url)
    except EmulatorError:
        if form == "sh":
            # Without it, `eval "$(…)"` would succeed.
            click.echo("false")
        raise
    click.echo(_FORMATS[form](variables))


def _variables(url: str | None) -> dict[str, str]:
    server = running_server(url)
    try:
        with server.client() as client:
            return variables_of(sandbox_at(client), server.control_token)
    except httpx.HTTPError as error:
        raise unreachable(server.url, error) from None


def _shell(variables: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={_quoted(value)}" for name, value in variables.items())


def _quoted(value: str) -> str:
    """In single quotes, where a shell takes every character as it is."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _github(variables: Mapping[str, str]) -> str:
    """See "Setting an environment variable" in GitHub's documentation of workflow commands."""
    return "\n".join(_github_line(name, value) for name, value in variables.items())


def _github_line(name: str, value: str) -> str:
    if not set(value) & {"\n", "\r"}:
        return f"{name}={value}"
    delimiter = "_END_"
    while delimiter in value:
        delimiter += "_"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}"


_FORMATS: Mapping[str, Callable[[Mapping[str, str]], str]] = {"sh": _shell, "github": _github, "json": json.dumps}
