"""Flask's JSON, as strict as JavaScript reads it."""

from __future__ import annotations

from typing import Any

from flask.json.provider import DefaultJSONProvider, _default

from emulator import strict_json


class StrictJSONProvider(DefaultJSONProvider):
    """Writes null for a number that JSON has no form for: a single one would make a whole page unreadable."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        """The form of a value that JSON does not have; bytes, which a damaged file may have for text, as text."""
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else _default(value)

    def dumps(self, obj: Any, **options: Any) -> str:
        """The text of a value."""
        try:
            return super().dumps(obj, allow_nan=False, **options)
        except ValueError:
            return super().dumps(strict_json.without_infinity(obj), **options)
