"""The two flags that allow another host, and clients restricted to what they allow.

A command with a URL is decorated with `remote_options` (`url_option` includes it) and uses `guard()` or `client_of()`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click
import httpx

from emulator.addresses import address
from emulator.control_token import check_control_token
from emulator.harness.remote_guard import GuardedTransport, Permission, check_visit

_KEY = "emulator.remote"
_SECONDS = 600

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"{_KEY}.{parameter.name}"] = value


allow_remote_option = click.option(
    "--allow-remote",
    is_flag=True,
    expose_value=False,
    callback=_keep,
    help="Allow a host other than this machine.",
)
allow_writes_option = click.option(
    "--allow-writes",
    is_flag=True,
    expose_value=False,
    callback=_keep,
    help="Allow changes to data on that host; never on a production host.",
)


control_token_option = click.option(
    "--control-token",
    envvar="STACKADAPT_EMULATOR_CONTROL_TOKEN",
    show_envvar=True,
    expose_value=False,
    callback=_keep,
    help="Control token of an emulator that needs one.",
)


def remote_options(command: _Command) -> _Command:
    """Adds both flags; `permission()` returns their values."""
    return allow_remote_option(allow_writes_option(command))


def permission() -> Permission:
    """What the flags of the current command allow; nothing for a command without them."""
    meta = click.get_current_context().meta
    return Permission(
        remote=meta.get(f"{_KEY}.allow_remote", False),
        writes=meta.get(f"{_KEY}.allow_writes", False),
    )


def guard(harmless: Collection[bytes] = ()) -> GuardedTransport:
    """A transport for an `httpx.Client` that sends only what the flags allow, and prints the host on standard error.

    `harmless` is that of `GuardedTransport`.
    """
    printed: set[str] = click.get_current_context().meta.setdefault(f"{_KEY}.printed", set())

    def announce(text: str) -> None:
        if text not in printed:
            printed.add(text)
            click.echo(text, err=True)

    return GuardedTransport(permission(), announce=announce, harmless=harmless)


def client_of(url: str, headers: dict[str, str] | None = None, *, harmless: Collection[bytes] = ()) -> httpx.Client:
    """A guarded client of one server. Raises InputError for an invalid URL, UserMistake for a host not allowed."""
    check_visit(address(url), permission())
    return httpx.Client(base_url=url, headers=headers, transport=guard(harmless), trust_env=False, timeout=_SECONDS)


def control_token() -> str | None:
    """The control token that the current command was given. For emulators only. Raises InputError."""
    token: str | None = click.get_current_context().meta.get(f"{_KEY}.control_token")
    return check_control_token(token) if token else None
