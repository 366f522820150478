"""Speaking to an emulator that runs already: its address, its sandbox, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import click
import httpx

from emulator.addresses import address, shown
from emulator.cli.remote import client_of, remote_options
from emulator.errors import UserMistake
from emulator.harness.client import Endpoint, refusal_in, sandbox_at
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER

_URL = "http://127.0.0.1:8585"

_Command = TypeVar("_Command", bound=Callable[..., Any])

sandbox_option = click.option("--sandbox", help="Name of the sandbox; the default one when absent.")


def url_option(command: _Command) -> _Command:
    """Adds `--url`, and the flags without which it must be this machine."""
    url = click.option(
        "--url",
        default=_URL,
        show_default=True,
        # What `exec` tells its command: a command inside speaks to the emulator around it.
        envvar="STACKADAPT_EMULATOR_URL",
        show_envvar=True,
        help="Where the emulator listens.",
    )
    return url(remote_options(command))


def connect(url: str, sandbox: str | None) -> httpx.Client:
    """A client of the control API. Raises UserMistake for something that is no URL, or a host not allowed."""
    # Quoted, since a header cannot hold everything; the name of a sandbox that there is stays as it is.
    return client_of(url, {SANDBOX_HEADER: quote(sandbox)} if sandbox is not None else {})


def endpoint_of(client: httpx.Client, sandbox: str | None) -> Endpoint:
    """The two companies in a sandbox of a running emulator, with the secrets that open them."""
    return sandbox_at(client, sandbox or DEFAULT_SANDBOX)


def check(answer: httpx.Response) -> None:
    """Raises what the emulator says when it refuses, as if it had happened here."""
    if refused := refusal_in(answer):
        raise refused


def unreachable(url: str, error: httpx.HTTPError) -> UserMistake:
    """The mistake to raise when nobody answers."""
    return UserMistake(
        f"the emulator does not answer: {error}",
        where=shown(address(url)),
        hint="Start it with: stackadapt-emulator serve",
    )
