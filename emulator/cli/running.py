"""Speaking to an emulator that runs already: its address, its sandbox, and what it refuses."""

from __future__ import annotations

import click
import httpx

from emulator.errors import UserMistake
from emulator.harness.faces.control import refusal_in

_URL = "http://127.0.0.1:8585"
_SECONDS = 600

url_option = click.option("--url", default=_URL, show_default=True, help="Where the emulator listens.")
sandbox_option = click.option("--sandbox", help="Name of the sandbox; the default one when absent.")


def connect(url: str, sandbox: str | None) -> httpx.Client:
    """A client of the control API. Raises UserMistake for something that is no URL."""
    headers = {"X-Emulator-Sandbox": sandbox} if sandbox is not None else {}
    try:
        return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=_SECONDS)
    except (httpx.InvalidURL, ValueError) as error:
        raise UserMistake(f"this is not a URL: {error}.", where="--url", found=url) from None


def check(answer: httpx.Response) -> None:
    """Raises what the emulator says when it refuses, as if it had happened here."""
    if refused := refusal_in(answer):
        raise refused


def unreachable(url: str, error: httpx.HTTPError) -> UserMistake:
    """The mistake to raise when nobody answers."""
    return UserMistake(
        f"the emulator does not answer: {error}.",
        where="--url",
        found=url,
        hint="Start it with: stackadapt-emulator serve",
    )
