"""One request for a generated person, as a worker sends it."""

from __future__ import annotations

from dataclasses import dataclass

SEGMENT, STACKADAPT = "segment", "stackadapt"
SIDES = (SEGMENT, STACKADAPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest:
    """A POST request for a person: its name in the statistics, and how many calls or records it has."""

    person: int
    name: str
    side: str
    path: str
    body: bytes
    calls: int = 0
    records: int = 0
