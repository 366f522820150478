"""`snapshot`: the state of a running emulator into a file, and back."""

from __future__ import annotations

import os
from pathlib import Path

import click
import httpx

from emulator.errors import InputError, UserMistake

_EPILOG = """\b
Examples:
  stackadapt-emulator snapshot save before.snapshot.gz
  stackadapt-emulator snapshot load before.snapshot.gz
  stackadapt-emulator snapshot save --url http://127.0.0.1:9000 --sandbox checkout state.snapshot.gz
"""
_URL = "http://127.0.0.1:8585"
_SECONDS = 600

_url = click.option("--url", default=_URL, show_default=True, help="Where the emulator listens.")
_sandbox = click.option("--sandbox", help="Name of the sandbox; the default one when absent.")


@click.group(epilog=_EPILOG)
def command() -> None:
    """Save the state of a running emulator to a file, and load it again.

    The file holds both companies' data and the time. It can be loaded into any emulator with the same workspace,
    whether that keeps its data in memory, in files or in PostgreSQL. It holds personal data, but no tokens.
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_url
@_sandbox
def save(file: Path, url: str, sandbox: str | None) -> None:
    """Write the state to FILE, readable by you alone."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with _client(url, sandbox) as client, client.stream("GET", "/_emulator/snapshot") as answer:
            _check(answer)
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                for chunk in answer.iter_raw():
                    out.write(chunk)
        unfinished.replace(file)
    except httpx.HTTPError as error:
        unfinished.unlink(missing_ok=True)
        raise _unreachable(url, error) from None
    except OSError as error:
        raise InputError(f"this file cannot be written: {error.strerror}.", where=str(file)) from None
    click.echo(f"saved {file} ({file.stat().st_size} bytes)")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_url
@_sandbox
def load(file: Path, url: str, sandbox: str | None) -> None:
    """Replace the state by what FILE holds. A damaged file changes nothing."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise InputError(f"this file cannot be read: {error.strerror}.", where=str(file)) from None
    try:
        with content, _client(url, sandbox) as client:
            length = {"Content-Length": str(file.stat().st_size)}
            _check(client.put("/_emulator/snapshot", content=content, headers=length))
    except httpx.HTTPError as error:
        raise _unreachable(url, error) from None
    click.echo(f"loaded {file}")


def _client(url: str, sandbox: str | None) -> httpx.Client:
    headers = {"X-Emulator-Sandbox": sandbox} if sandbox is not None else {}
    try:
        return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=_SECONDS)
    except (httpx.InvalidURL, ValueError) as error:
        raise UserMistake(f"this is not a URL: {error}.", where="--url", found=url) from None


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    answer.read()
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict) or "message" not in told:
        raise UserMistake(
            f"this is no emulator: it answers {answer.status_code}.", where="--url", found=str(answer.url)
        )
    parts = {key: told.get(key) for key in ("where", "found", "allowed", "hint")}
    raise InputError(told["message"], **parts)


def _unreachable(url: str, error: httpx.HTTPError) -> UserMistake:
    return UserMistake(
        f"the emulator does not answer: {error}.",
        where="--url",
        found=url,
        hint="Start it with: stackadapt-emulator serve",
    )
