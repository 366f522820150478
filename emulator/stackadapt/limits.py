"""The size limits of a request. The real limits are not public; these protect the process that runs the emulator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one request.

    `body_bytes` of the HTTP body; `tokens`, `depth` (nested fields), `aliases` and `selections` (fields and fragment
    spreads) of the document; `profiles` in one mutation; `journal_characters` of each body kept in the journal.
    """

    body_bytes: int = 8 * 1024 * 1024
    tokens: int = 200_000
    depth: int = 15
    aliases: int = 100
    selections: int = 1_000
    profiles: int = 10_000
    journal_characters: int = 8 * 1024 * 1024
