"""A shard of a job: one of several runs, on any machines, whose files concatenated are the job's file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.errors import InputError

MOST_SHARDS = 1_000_000

_SHARD = re.compile(r"(?P<number>[0-9]{1,7})/(?P<of>[0-9]{1,7})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Number `number` of `of` shards, counted from 1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def positions(self, start: int, count: int, block: int) -> range:
        """The positions that it has of `count` records from `start` on; none where there are fewer records than shards.

        Where every shard can have a whole block, a shard begins with one, so that no block is made twice.
        """
        whole = count >= self.of * block

        def first_of(number: int) -> int:
            first = start + count * number // self.of
            return first - first % block if whole and 0 < number < self.of else first

        return range(first_of(self.number - 1), first_of(self.number))


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """Parses `17/400`. Raises InputError."""
    match = _SHARD.fullmatch(text)
    shard = Shard(number=int(match["number"]), of=int(match["of"])) if match else Shard(number=0)
    if not 1 <= shard.number <= shard.of <= MOST_SHARDS:
        raise InputError(
            "invalid shard",
            where="--shard",
            found=text,
            allowed=f"K/N with K from 1 to N, and N up to {MOST_SHARDS:,}, such as 17/400",
        )
    return shard
