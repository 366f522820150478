"""What no probe shows, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class NotProbed:
    """`about` is a row of the ledger, or a probe; `what` is the part of the probe, `reason` a sentence."""

    about: str
    reason: str
    what: str | None = None

    def __str__(self) -> str:
        return f"{self.about}{f' ({self.what})' if self.what else ''}: {self.reason}"


_IN_THE_INTERFACE: Final = "Segments are made in the interface only: no operation has their rules."
_EMULATORS_OWN: Final = "It is about the emulator's own storage."

NOT_PROBED: Final = (
    NotProbed("R3", "They identify a person and an account, and no row needs them.", "name and ids of the token"),
    NotProbed("R4", "The emulator serves the customer-data part only.", "number of root fields"),
    NotProbed("R7", "first: 500 shows the same limit.", "first: 101"),
    NotProbed("R9", "limit: 1 and limit: 5000 show the same limits.", "limit: 101 and 1000"),
    NotProbed("R11", "They are the account's own; W11 makes lists.", "names of lists"),
    NotProbed("R11", "No query has them; W6 and W7 read what a change returns.", "mappings of the advertiser"),
    NotProbed("R12", "One answer shows them; state.jsonl keeps those of every answer.", "headers of the other probes"),
    NotProbed("W9", "No query has them; W9 looks for the members of a segment.", "audiences of a profile"),
    NotProbed("W15", "No query has them; W15b sees a date by a rule of a segment.", "values of a property"),
    NotProbed("graphql.large-numbers", "Only a change takes such a value, and no query shows what was stored."),
    NotProbed("graphql.masked-failure", "It takes an unexpected failure of the service."),
    NotProbed("ingestion.arrival-order", "No query shows when a record took effect."),
    NotProbed("ingestion.nothing-lost", "No query has records, only the profiles that they make."),
    NotProbed("segments.rules", _IN_THE_INTERFACE),
    NotProbed("segments.limits", _IN_THE_INTERFACE),
    NotProbed("segments.unknown-values", _IN_THE_INTERFACE),
    NotProbed("segments.time", _IN_THE_INTERFACE),
    NotProbed("rate-limit.per-token", "It takes a second token."),
    NotProbed("delivery.lost-answer-sends-again", "It is about Segment, which sends again."),
    NotProbed("delivery.lost-events", _EMULATORS_OWN),
    NotProbed("store.unavailable", _EMULATORS_OWN),
    NotProbed("uploads.files", "It is about a folder of the emulator."),
    NotProbed("uploads.target-limits", "An upload target may be at another host, to which nothing is sent."),
    NotProbed("advertisers.made", "No operation deletes the advertiser that it would make."),
)


def not_probed(names: Sequence[str]) -> tuple[NotProbed, ...]:
    """What no probe shows: of the probes with these ids; all without any."""
    return tuple(each for each in NOT_PROBED if not names or each.about in names)
