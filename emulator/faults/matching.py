"""Which requests a rule looks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """What can be told of a request before it runs.

    `operations` are its root fields; `emails` are those of the records it carries, in any case. All are empty when the
    document cannot be read.
    """

    operations: tuple[str, ...] = ()
    mutates: bool = False
    advertiser_ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a rule looks for; None matches everything. In `email`, `*` stands for any text, case does not matter."""

    operation: str | None = None
    advertiser: str | None = None
    email: str | None = None

    def fits(self, asked: RequestSummary) -> bool:
        """Whether a request is one of these."""
        return (
            (self.operation is None or self.operation in asked.operations)
            and (self.advertiser is None or self.advertiser in asked.advertiser_ids)
            and (self.email is None or self.fits_any(asked.emails))
        )

    def fits_any(self, emails: Iterable[str]) -> bool:
        """Whether one of the addresses is meant."""
        wanted = "*" if self.email is None else self.email.strip().lower()
        return any(_is_like(email.strip().lower(), wanted) for email in emails)


def _is_like(text: str, wanted: str) -> bool:
    """Whether a text is `wanted`, where `*` stands for any text. Linear, whatever is asked for."""
    first, *others = wanted.split("*")
    if not others:
        return text == wanted
    *inner, last = others
    place = len(first)
    for part in inner:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return text.startswith(first) and text.endswith(last) and len(text) - len(last) >= place
