"""Faults and rate limits that had no effect: a test that relies on one proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.client import Endpoint, Shown

_NOT_SHOWN = ("id", "fault", "probability", "remaining", "until", "matched")


def unused_at(endpoint: Endpoint) -> list[str]:
    """One line for each fault that matched no request and each rate limit that refused none.

    Counted since the start or the last reset. Empty where there is no control API, and so no faults.
    """
    if not endpoint.controlled:
        return []
    return list(_lines(endpoint.control.get("faults/unused")))


def _lines(unused: Shown) -> Iterator[str]:
    for rule in unused["faults"]:
        options = {name: value for name, value in rule.items() if name not in _NOT_SHOWN and value is not None}
        if rule["probability"] < 1:
            options["probability"] = rule["probability"]
        text = ", ".join(f"{name} {value}" for name, value in options.items())
        yield f"fault {rule['id']}, {rule['fault']}{f' ({text})' if text else ''}: matched no request"
    for limit in unused["rateLimits"]:
        yield f"rate limit of {limit['requests']} requests per {limit['per']}: refused no request"
