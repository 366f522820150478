"""The server that `status`, `wait` and `env` are about: the one last started from this folder, or the one at a URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx

from emulator.addresses import address, shown
from emulator.cli.background import Record, place_here
from emulator.cli.remote import client_of, control_token, remote_options
from emulator.errors import ContractViolation
from emulator.protocol import CONTROL_HEADER

_HEALTH = "/_emulator/health"
_SECONDS = 5.0

_Command = TypeVar("_Command", bound=Callable[..., Any])


class NotRunning(ContractViolation):
    """There is no server, or it does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    """A server that answers. Without `record`, `log` and `folder` it was not started from this folder."""

    url: str
    version: str
    control_token: str | None
    record: Record | None = None
    folder: Path | None = None
    log: Path | None = None

    def client(self) -> httpx.Client:
        """A client of its control API. Raises UserMistake for a host that is not allowed."""
        headers = {CONTROL_HEADER: self.control_token} if self.control_token else {}
        if self.record is None:
            return client_of(self.url, headers)
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False)


def server_option(command: _Command) -> _Command:
    """Adds `--url`, and the flags without which it must be this machine.

    `STACKADAPT_EMULATOR_URL` is not read: it is what `env` printed, perhaps about an earlier server.
    """
    url = click.option("--url", help="URL of an emulator; the one last started from this folder when absent.")
    return url(remote_options(command))


def health_at(url: str) -> Mapping[str, Any] | None:
    """What a server of this user says of itself; None when it does not answer."""
    with httpx.Client(base_url=url, trust_env=False, timeout=_SECONDS) as client:
        return _health(client)


def running_server(url: str | None) -> OwnServer:
    """The server at `url`, or the one last started from this folder. Raises NotRunning with the reason."""
    return _started_here() if url is None else _elsewhere(url)


def _elsewhere(url: str) -> OwnServer:
    where = shown(address(url)).rstrip("/")
    with client_of(url) as client:
        health = _health(client)
    if health is None:
        raise NotRunning("no emulator answers here", where=where, hint="Start it with: stackadapt-emulator start")
    return OwnServer(url=where, version=health["version"], control_token=control_token())


def _started_here() -> OwnServer:
    place = place_here()
    where, record = str(place.folder), place.record()
    if not place.in_use():
        hint = "Start it with: stackadapt-emulator start"
        if record is not None:
            raise NotRunning(
                "the server started from this folder has ended by itself", where=where, hint=f"Its log is {place.log}."
            )
        raise NotRunning("no server started from this folder is running", where=where, hint=hint)
    if record is None or record.connection is None:
        raise NotRunning("the server of this folder is being started", where=where)
    url = record.connection["url"]
    health = health_at(url)
    if health is None:
        raise NotRunning(
            f"the server of this folder, process {record.pid}, does not answer",
            where=url,
            hint=f"Its log is {place.log}.",
        )
    return OwnServer(
        url=url,
        version=health["version"],
        control_token=record.control_token,
        record=record,
        folder=place.folder,
        log=place.log,
    )


def _health(client: httpx.Client) -> Mapping[str, Any] | None:
    try:
        response = client.get(_HEALTH, timeout=_SECONDS)
        body = response.json()
    except (httpx.HTTPError, ValueError):
        return None
    answered = response.status_code == HTTPStatus.OK and isinstance(body, dict) and body.get("status") == "ok"
    return body if answered else None
