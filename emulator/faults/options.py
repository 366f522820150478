"""Reading the options of a fault; what cannot be read is refused with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.errors import InputError, nearest

Options = Mapping[str, Any]

MATCHERS = ("operation", "advertiser", "email")
# What a rule takes with any fault; a fault is given its own options only.
COMMON = (*MATCHERS, "probability", "times")


def refuse_unknown(options: Options, known: tuple[str, ...]) -> None:
    """Raises InputError when an option is neither one of the known ones nor a member that every fault has."""
    allowed = (*known, *COMMON)
    for name in options:
        if name not in known:
            raise InputError(
                "this fault has no such option",
                where=name,
                allowed=", ".join(allowed),
                hint=nearest(name, allowed),
            )


def whole_number(options: Options, name: str, *, least: int, most: int, default: int | None = None) -> int:
    """A whole number in a range. Without a default it must be given. Raises InputError."""
    value = options.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError("this is not a number in range", where=name, found=value, allowed=f"{least} to {most}")
    return value


def text(options: Options, name: str, *, default: str) -> str:
    """A text. Raises InputError."""
    value = options.get(name, default)
    if not isinstance(value, str):
        raise InputError("this is not a text", where=name, found=value, allowed="a text")
    return value


def flag(options: Options, name: str) -> bool:
    """True or false; false when absent. Raises InputError."""
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise InputError("this is neither true nor false", where=name, found=value, allowed="true, false")
    return value
