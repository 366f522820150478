"""Where an answer comes from: the emulator that was asked, and the rows of the ledger behind what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from emulator.harness.client import Endpoint
from emulator.harness.ledger import behaviours, rows_about

_SHOWN: Final = ("id", "provenance", "behaviour", "source")


def origin_of(answer: Any, endpoint: Endpoint, sandbox: str, always: Sequence[str]) -> dict[str, Any]:
    """The provenance of an answer, as a dict of JSON values.

    The rows are those with the ids in `always`, those about the reason codes in the answer, and those that the
    scenarios in it show, in the order of the ledger.
    """
    ids = {*always, *_ids_in(answer)}
    rows = [{name: getattr(row, name) for name in _SHOWN} for row in behaviours() if row.id in ids]
    now, version = endpoint.control.get("clock")["now"], endpoint.control.get("health")["version"]
    where = f"this emulator's state at {now}, in the sandbox {sandbox!r} of {endpoint.url}"
    counted = {word: sum(row["provenance"] == word for row in rows) for word in {row["provenance"] for row in rows}}
    known = ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
    return {
        "text": f"{where}; behaviours behind it: {known}" if rows else where,
        "emulator": endpoint.url,
        "sandbox": sandbox,
        "at": now,
        "version": version,
        "behaviours": rows,
    }


def _ids_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _ids_in(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "shows":
                yield from item
            elif name in ("reason", "reasons"):
                codes = [item] if isinstance(item, str) else item or ()
                yield from (row.id for code in codes for row in rows_about(code))
            else:
                yield from _ids_in(item)
