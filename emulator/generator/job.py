"""A slice of a stream in a file format: the blocks that it needs and the bytes of each, made by any process."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from emulator.generator.event_stream import BLOCK
from emulator.generator.people import Population
from emulator.generator.shards import WHOLE, Shard

JSONL = "jsonl"
JSON = "json"
CSV = "csv"
FORMS = (JSONL, JSON, CSV)
COLUMNS = (
    *("user_id", "email", "first_name", "last_name", "phone", "street", "city", "state", "country"),
    *("postal_code", "timezone", "birthday", "total_spent"),
)

# The JSON of files and request bodies.
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Record = Mapping[str, Any]


class Stream(Protocol):
    """An endless sequence of records, `BLOCK` in a block."""

    def block(self, number: int) -> Sequence[Record]:
        """The records from number `number * BLOCK` on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleStream:
    """People as flat records for an upload to StackAdapt: `COLUMNS`, without `email` where there is none."""

    population: Population

    def block(self, number: int) -> Sequence[Record]:
        """The people from number `number * BLOCK` on."""
        people = islice(self.population.people(first=number * BLOCK), BLOCK)
        return [{"user_id": person.user_id, **person.traits} for person in people]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A shard of the `count` records from number `start` on, as JSON lines, a JSON array or CSV; gzip compresses them.

    The chunks of its blocks, concatenated, are the file; each is a gzip member.
    """

    stream: Stream
    start: int = 0
    count: int
    form: str = JSONL
    compressed: bool = False
    shard: Shard = WHOLE

    @property
    def positions(self) -> range:
        """The numbers of the shard's records."""
        return self.shard.positions(self.start, self.count, BLOCK)

    def blocks(self) -> range:
        """The numbers of the blocks that it needs."""
        positions = self.positions
        return range(positions.start // BLOCK, (positions.stop - 1) // BLOCK + 1) if positions else range(0)

    def size(self, number: int) -> int:
        """The number of records that it takes from a block."""
        return len(self._positions_in(number))

    def records(self, number: int) -> Sequence[Record]:
        """The records that it takes from a block."""
        positions = self._positions_in(number)
        return self.stream.block(number)[positions.start : positions.stop]

    def all_records(self) -> Iterator[Record]:
        """Every record, made block by block."""
        for number in self.blocks():
            yield from self.records(number)

    def chunk(self, number: int) -> bytes:
        """The part of the file with the records of a block."""
        within = self._positions_in(number)
        first = number * BLOCK + within.start == self.start
        last = number * BLOCK + within.stop == self.start + self.count
        chunk = _WRITERS[self.form](self.records(number), first, last).encode()
        # Without a timestamp, the same content makes the same bytes.
        return gzip.compress(chunk, mtime=0) if self.compressed else chunk

    def _positions_in(self, number: int) -> range:
        """The shard's positions within a block."""
        positions, before = self.positions, number * BLOCK
        return range(max(positions.start - before, 0), min(positions.stop - before, BLOCK))


def _lines(records: Sequence[Record], _first: bool, _last: bool) -> str:
    return "".join(f"{encode(record)}\n" for record in records)


def _array(records: Sequence[Record], first: bool, last: bool) -> str:
    return ("[\n" if first else ",\n") + ",\n".join(map(encode, records)) + ("\n]\n" if last else "")


def _table(records: Sequence[Record], first: bool, _last: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if first:
        writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


_WRITERS = {JSONL: _lines, JSON: _array, CSV: _table}
