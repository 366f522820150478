"""The endpoint that a sandbox of an emulator is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from emulator.harness.client.control import Control
from emulator.harness.client.endpoint import Endpoint
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER


def sandbox_at(
    client: httpx.Client, name: str = DEFAULT_SANDBOX, *, address: Callable[[], str] | None = None
) -> Endpoint:
    """A sandbox that is there, seen with its first token that may write and for the workspace's first advertiser.

    From now on every control request of `client` means this sandbox. Raises NotFound.
    """
    shown = Control(client).get(_path(name))
    client.headers[SANDBOX_HEADER] = name
    return Endpoint(
        client=client,
        token=shown["token"],
        tokens=shown["tokens"],
        write_key=shown["writeKey"],
        advertiser_id=next(iter(shown["advertisers"])),
        address=address,
    )


@contextmanager
def fresh_sandbox(client: httpx.Client, workspace: Mapping[str, Any] | None = None) -> Iterator[Endpoint]:
    """A sandbox that nobody else has, deleted afterwards. Raises InputError for a workspace that the emulator refuses.

    `workspace` is the JSON form of one; the default sandbox's when absent.
    """
    name = Control(client).post("sandboxes", {} if workspace is None else {"workspace": workspace})["name"]
    try:
        yield sandbox_at(client, name)
    finally:
        Control(client).delete(_path(name))


def _path(name: str) -> str:
    return f"sandboxes/{quote(name, safe='')}"
