"""Which requests a rule matches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """What a GraphQL request asks for: its root fields, and the advertisers and emails in their arguments.

    `emails` are in the case in which they were sent. All are empty when the document cannot be parsed.
    """

    operations: tuple[str, ...] = ()
    mutates: bool = False
    advertiser_ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a rule matches; None matches every request. In `email`, `*` is any text, and case is ignored."""

    operation: str | None = None
    advertiser: str | None = None
    email: str | None = None

    def matches(self, request: RequestSummary) -> bool:
        """Whether it matches a request."""
        return (
            (self.operation is None or self.operation in request.operations)
            and (self.advertiser is None or self.advertiser in request.advertiser_ids)
            and (self.email is None or self.matches_any(request.emails))
        )

    def matches_any(self, emails: Iterable[str]) -> bool:
        """Whether it matches one of the emails."""
        pattern = "*" if self.email is None else self.email.strip().lower()
        return any(_is_like(email.strip().lower(), pattern) for email in emails)


def _is_like(text: str, pattern: str) -> bool:
    """Whether a string matches a pattern in which `*` is any text. Takes linear time for every pattern."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *inner, last = others
    position = len(first)
    for part in inner:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return text.startswith(first) and text.endswith(last) and len(text) - len(last) >= position
