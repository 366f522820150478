"""What fills empty screens and fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, count
from typing import Any

from emulator.console.view import View

# The key of the default workspace, which the commands of the documentation send.
_FIRST_KEY = "segment-local"


def example_call(view: View) -> str:
    """An identify call of someone who enters the audience of the default workspace."""
    return (
        f"curl -s -u WRITE_KEY: {view.root}/v1/identify -H 'Content-Type: application/json' "
        """-d '{"userId": "ada", "traits": {"email": "ada@example.com", "total_spent": 700}}'"""
    )


def new_write_key(sources: Iterable[Mapping[str, Any]]) -> str:
    """A write key that no source has: `segment-local`, or the first of `segment-local-2` and on that is free."""
    taken = {each["writeKey"] for each in sources}
    keys = chain([_FIRST_KEY], (f"{_FIRST_KEY}-{number}" for number in count(2)))
    return next(key for key in keys if key not in taken)
