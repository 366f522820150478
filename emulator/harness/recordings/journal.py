"""The requests in the journal of an emulator as a recording, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from emulator.harness.recordings.exchange import Exchange, body_of
from emulator.harness.recordings.pseudonyms import Pseudonyms
from emulator.ids import secret

_JSON, _OTHER = "application/json", "text/html"


def recorded(entries: Iterable[Mapping[str, Any]], *, upstream: str) -> Iterator[str]:
    """A line of a recording for each entry of the journal that was answered.

    The journal knows no token, only its name: the label tells requests with different tokens apart.
    """
    clean = Pseudonyms(secret(""))
    labels: dict[str, str] = {}
    for entry in entries:
        if entry["status"] is None:
            continue
        token, response = entry["token"], body_of(entry["response"])
        yield Exchange(
            at=datetime.fromisoformat(entry["at"]),
            upstream=upstream,
            token=None if token is None else labels.setdefault(token, f"token-{len(labels) + 1}"),
            accept=_JSON,
            request=clean.in_value(body_of(entry["request"])),
            status=entry["status"],
            headers={"content-type": _OTHER if isinstance(response, str) else _JSON},
            response=clean.in_value(response),
        ).as_line()
