"""Generated calls sent to a Tracking API, in batches within its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

import httpx

from emulator.addresses import shown
from emulator.clock import Throttle
from emulator.errors import UserMistake, reason_of
from emulator.generator.job import Record, encode
from emulator.segment import BATCH_LIMIT_BYTES, EVENTS_IN_A_BATCH

_BATCH = "/v1/batch"
_START, _BETWEEN, _END = b'{"batch":[', b",", b"]}"


def sent(
    client: httpx.Client,
    write_key: str,
    calls: Iterable[Record],
    *,
    rate: float | None = None,
    pace: Throttle | None = None,
) -> Iterator[int]:
    """Posts calls to `/v1/batch`; yields the number of calls of each request once it is accepted.

    With a `rate`, in calls a second, a request has at most the calls of one second and is sent when `pace` says so.
    Nothing is retried: Segment drops duplicates, so the caller may continue with the last batch. Raises UserMistake
    when the API does not respond, or refuses the calls.
    """
    most = EVENTS_IN_A_BATCH if rate is None else min(EVENTS_IN_A_BATCH, ceil(rate))
    if rate is not None and pace is None:
        pace = Throttle(rate)
    done = 0
    for batch in batches(calls, most=most):
        if pace is not None:
            pace.wait_for(done)
        _post(client, write_key, _START + _BETWEEN.join(batch) + _END)
        done += len(batch)
        yield len(batch)


def batches(calls: Iterable[Record], *, most: int = EVENTS_IN_A_BATCH) -> Iterator[list[bytes]]:
    """Calls as JSON, in lists of at most `most` that fit in a body of 500 KB."""
    batch: list[bytes] = []
    size = 0
    for call in calls:
        encoded = encode(call).encode()
        added = len(encoded) + len(_BETWEEN)
        if batch and (len(batch) == most or size + added > BATCH_LIMIT_BYTES):
            yield batch
            batch, size = [], 0
        if not batch:
            size = len(_START) + len(_END)
        batch.append(encoded)
        size += added
    if batch:
        yield batch


def _post(client: httpx.Client, write_key: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    try:
        response = client.post(_BATCH, content=body, headers=headers, auth=(write_key, ""))
    except httpx.HTTPError as error:
        raise UserMistake(
            f"the Tracking API does not respond: {reason_of(error)}", where=shown(client.base_url)
        ) from None
    if not response.is_success:
        raise UserMistake(
            f"the Tracking API refuses the calls: {response.status_code}",
            where=shown(client.base_url),
            found=response.text[:200],
        )
