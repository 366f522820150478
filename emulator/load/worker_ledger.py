"""What each worker has sent and how it was answered, in a file that a killed worker leaves complete.

A line is written before a request is sent and another once it is answered, each straight to the file:

    PERSON <tab> NAME <tab> CALLS <tab> RECORDS <tab> END <tab> STATUS
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from emulator.errors import InputError
from emulator.load.person_request import PersonRequest

SENT = "sent"
# How a request ended: the emulator has it; it answered with GraphQL errors; it refused the request with a status.
ACKNOWLEDGED, ERRORS, REFUSED = "acknowledged", "errors", "refused"
# After these it is sent again: nothing of it arrived (429); any of it may have arrived (5xx, no answer).
LIMITED, FAILED, LOST = "limited", "failed", "lost"
AGAIN = (LIMITED, FAILED, LOST)

_SUFFIX = ".tsv"


class Ledger:
    """The file of one worker, counted from 0. Raises InputError where there is one already."""

    def __init__(self, folder: Path, worker: int) -> None:
        path = folder / f"worker-{worker + 1}{_SUFFIX}"
        if path.exists():
            raise InputError(
                "a worker has written here before",
                where=str(path),
                hint="Choose another folder, and another --seed or --start: what was sent is not sent twice.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        # Without a buffer, so that a killed process leaves everything in the file.
        self._file = path.open("ab", buffering=0)

    def write(self, request: PersonRequest, end: str, status: int = 0) -> None:
        """Notes that a request is sent, or how it was answered."""
        fields = (request.person, request.name, request.calls, request.records, end, status)
        self._file.write(("\t".join(map(str, fields)) + "\n").encode())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class Tally:
    """The sums over all ledgers of a folder, as far as they are written; `update` reads on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: Counter[Path] = Counter()
        # By person and name: calls and records of requests that have been sent and have no final answer.
        self.unanswered: dict[tuple[int, str], tuple[int, int]] = {}
        self.ends: Counter[str] = Counter()
        # By name: how often a request was answered or lost, and how often of these in vain.
        self.attempts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.refusals: Counter[tuple[str, int]] = Counter()
        self.server_errors: Counter[tuple[str, int]] = Counter()
        self.acknowledged_calls = 0
        self.acknowledged_records = 0
        # What may have arrived besides, and the calls that were sent again after that and so may be duplicates.
        self._uncertain_calls = 0
        self._uncertain_records = 0
        self.repeated_calls = 0

    @property
    def uncertain_calls(self) -> int:
        """The calls without an acknowledgement that may have arrived."""
        return self._uncertain_calls + sum(calls for calls, _ in self.unanswered.values())

    @property
    def uncertain_records(self) -> int:
        """The records without an acknowledgement that may have arrived, once for each time that they were sent."""
        return self._uncertain_records + sum(records for _, records in self.unanswered.values())

    def update(self) -> None:
        """Reads what was written since; a line that is not complete is left for later."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            with path.open("rb") as file:
                file.seek(self._read[path])
                complete, _, rest = file.read().rpartition(b"\n")
                self._read[path] = file.tell() - len(rest)
            self._add(complete.decode().splitlines())

    def _add(self, lines: Iterable[str]) -> None:
        for line in lines:
            person, name, calls, records, end, status = line.split("\t")
            self._count((int(person), name), int(calls), int(records), end, int(status))

    def _count(self, request: tuple[int, str], calls: int, records: int, end: str, status: int) -> None:
        if end == SENT:
            self.unanswered[request] = (calls, records)
            return
        self.ends[end] += 1
        self.attempts[request[1]] += 1
        self.failures[request[1]] += end not in (ACKNOWLEDGED, ERRORS)
        if end == FAILED:
            self.server_errors[request[1], status] += 1
        if end in (FAILED, LOST):
            self.repeated_calls += calls
            self._uncertain_records += records
        if end in AGAIN:
            return
        del self.unanswered[request]
        if end == ACKNOWLEDGED:
            self.acknowledged_calls += calls
            self.acknowledged_records += records
        elif end == ERRORS:
            self._uncertain_records += records
        else:
            self.refusals[request[1], status] += 1
            self._uncertain_calls += calls
