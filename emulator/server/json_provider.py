"""Flask's JSON, as strict as JavaScript reads it."""

from __future__ import annotations

from typing import Any

from flask.json.provider import DefaultJSONProvider

from emulator import strict_json


class StrictJSONProvider(DefaultJSONProvider):
    """Writes null for a number that JSON has no form for: a single one would make a whole page unreadable."""

    sort_keys = False

    def dumps(self, obj: Any, **options: Any) -> str:
        """The text of a value."""
        try:
            return super().dumps(obj, allow_nan=False, **options)
        except ValueError:
            return super().dumps(strict_json.without_infinity(obj), **options)
