"""`clock`: the time of a running emulator."""

from __future__ import annotations

import json
from typing import Any

import click
import httpx

from emulator.cli import SuggestingGroup
from emulator.cli.running import check, connect, sandbox_option, unreachable, url_option
from emulator.cli.terminal import repeated
from emulator.durations import parse_duration
from emulator.errors import EmulatorError
from emulator.text import counted_noun

_EPILOG = """\b
Examples:
  stackadapt-emulator clock show
  stackadapt-emulator clock advance 4h
  stackadapt-emulator clock freeze --sandbox checkout
\b
Exit codes: 0 ok, 2 bad usage or no emulator at the URL. STACKADAPT_EMULATOR_URL sets --url.
"""

_SECONDS_A_LINE = 0.5

_json = click.option("--json", "as_json", is_flag=True, help="Print the clock as one JSON object.")


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """Show the time of a running emulator, move it forward, freeze it or let it run."""


@command.command()
@url_option
@sandbox_option
@_json
def show(url: str, sandbox: str | None, as_json: bool) -> None:
    """Print the time."""
    _print(_state(url, sandbox, "GET", "/_emulator/clock"), as_json)


@command.command()
@click.argument("duration")
@url_option
@sandbox_option
@_json
def advance(duration: str, url: str, sandbox: str | None, as_json: bool) -> None:
    """Move the time forward by DURATION, such as 90s, 15m, 4h, 2d or 3h59m, and process what becomes due.

    On a terminal, a line shows what is left while that takes long.
    """
    parse_duration(duration, where="DURATION")
    with connect(url, sandbox) as watching, repeated(lambda: _left(watching), every=_SECONDS_A_LINE):
        state = _state(url, sandbox, "POST", "/_emulator/clock/advance", {"duration": duration})
    _print(state, as_json)


@command.command()
@url_option
@sandbox_option
@_json
def freeze(url: str, sandbox: str | None, as_json: bool) -> None:
    """Freeze the clock."""
    _print(_state(url, sandbox, "POST", "/_emulator/clock/freeze"), as_json)


@command.command()
@url_option
@sandbox_option
@_json
def resume(url: str, sandbox: str | None, as_json: bool) -> None:
    """Let a frozen clock run again."""
    _print(_state(url, sandbox, "POST", "/_emulator/clock/resume"), as_json)


def _state(url: str, sandbox: str | None, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        with connect(url, sandbox) as client:
            response = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    check(response)
    state: dict[str, Any] = response.json()
    return state


def _left(client: httpx.Client) -> str | None:
    """What an advance has left to do; None when it is over or nothing is known."""
    try:
        response = client.get("/_emulator/clock")
        check(response)
    except (httpx.HTTPError, EmulatorError):
        # The advance itself reports what is wrong.
        return None
    state = response.json()
    if not (advance := state.get("advance")):
        return None
    profiles, events = counted_noun(advance["profilesDue"], "profile"), counted_noun(advance["eventsQueued"], "event")
    return f"{state['now']}: {profiles} to compute, {events} to send until {advance['until']}"


def _print(state: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(state))
        return
    status = "frozen" if state["frozen"] else "running"
    click.echo(f"{state['now']} ({status}, {state['aheadSeconds']:.0f} s ahead)")
