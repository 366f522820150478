"""HTTP requests whose longest body depends on the route."""

from __future__ import annotations

from flask import Request


class LimitedRequest(Request):
    """A request whose `max_content_length` can be set, which Flask before 3.1 takes from the configuration only."""

    _own_limit: tuple[int | None] | None = None

    @property
    def max_content_length(self) -> int | None:
        """The longest body in bytes; None for any length."""
        return super().max_content_length if self._own_limit is None else self._own_limit[0]

    @max_content_length.setter
    def max_content_length(self, limit: int | None) -> None:
        self._own_limit = (limit,)
