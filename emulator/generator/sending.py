"""Generated calls posted to a Tracking API, in batches within its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

import httpx

from emulator.addresses import shown
from emulator.clock import Throttle
from emulator.errors import UserMistake
from emulator.generator.job import Record, encode
from emulator.segment.tracking.calls import EVENTS_IN_A_BATCH
from emulator.segment.tracking.request_body import BATCH_LIMIT_BYTES

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
    """Posts calls to `/v1/batch`; yields how many each request had once it is accepted.

    With a `rate`, calls a second, a request has at most as many as a second brings, and goes when they are due by
    `pace`. Nothing is tried again: Segment drops calls it has seen, so whoever goes on may begin with the last batch.
    Raises UserMistake when the API does not answer or refuses.
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
    """Calls as JSON, in lists of at most so many that a body of 500 KB holds."""
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
        answer = client.post(_BATCH, content=body, headers=headers, auth=(write_key, ""))
    except httpx.HTTPError as error:
        raise UserMistake(f"the Tracking API does not answer: {error}", where=shown(client.base_url)) from None
    if not answer.is_success:
        raise UserMistake(
            f"the Tracking API refuses the calls: {answer.status_code}",
            where=shown(client.base_url),
            found=answer.text[:200],
        )
