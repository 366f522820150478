"""Clients of a running emulator: its URL, its sandbox, and its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import click
import httpx

from emulator.addresses import address, shown
from emulator.cli.remote import client_of, control_token, control_token_option, remote_options
from emulator.errors import UserMistake, reason_of
from emulator.harness.client import Endpoint, refusal_in, sandbox_at
from emulator.protocol import CONTROL_HEADER, DEFAULT_SANDBOX, SANDBOX_HEADER

_URL = "http://127.0.0.1:8585"

_Command = TypeVar("_Command", bound=Callable[..., Any])

sandbox_option = click.option("--sandbox", help="Name of the sandbox; the default sandbox when absent.")


def url_option(command: _Command) -> _Command:
    """Adds `--url`, the control token, and the flags without which it must be this machine."""
    url = click.option(
        "--url",
        default=_URL,
        show_default=True,
        # Set by `exec`: a command inside it addresses that emulator.
        envvar="STACKADAPT_EMULATOR_URL",
        show_envvar=True,
        help="URL of the emulator.",
    )
    return url(control_token_option(remote_options(command)))


def connect(url: str, sandbox: str | None) -> httpx.Client:
    """A client of the control API. Raises UserMistake for an invalid URL or a host that is not allowed."""
    # Quoted, since headers are ASCII; valid names of sandboxes are unaffected.
    headers = {SANDBOX_HEADER: quote(sandbox) if sandbox is not None else None, CONTROL_HEADER: control_token()}
    return client_of(url, {name: value for name, value in headers.items() if value})


def endpoint_of(client: httpx.Client, sandbox: str | None) -> Endpoint:
    """A sandbox of a running emulator, with its token and write key."""
    return sandbox_at(client, sandbox or DEFAULT_SANDBOX)


def check(response: httpx.Response) -> None:
    """Raises the error in a response, if any."""
    if error := refusal_in(response):
        raise error


def unreachable(url: str, error: httpx.HTTPError) -> UserMistake:
    """The error to raise when the emulator does not respond."""
    return UserMistake(
        f"the emulator does not respond: {reason_of(error)}",
        where=shown(address(url)),
        hint="Start it with: stackadapt-emulator serve",
    )
