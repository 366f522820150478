"""The only source of randomness: ids, random numbers and secrets.

With a seed, the n-th id of a kind is always the same, and a named stream of random numbers depends on the seed and its
name only. Without a seed everything is unpredictable.
"""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import count
from struct import Struct
from threading import Lock

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Eight digits at a time: a KSUID has 27, and each event of Engage has a KSUID.
_PAIRS = tuple(high + low for high in _BASE62 for low in _BASE62)
_TWO_DIGITS = 62**2
_FOUR_DIGITS = 62**4
_EIGHT_DIGITS = 62**8
_KSUID_EPOCH = 1_400_000_000
_KSUID_LENGTH = 27
_DIGEST_BYTES = 64
# As many as a person needs; the rest of the digest is not used.
_WORDS = Struct("<12I16x")
_INDEX = Struct("<Q")
WORD_BITS = 32

Words = Callable[[int], tuple[int, ...]]


class Ids:
    """The ids of one sandbox. Safe to share between threads."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = secrets.randbits(64) if seed is None else seed
        self._draws = random.Random(f"{self.seed}/ids")  # noqa: S311 - reproducible ids, not secrets
        self._numbers = count(1)
        self._lock = Lock()

    def stream(self, *name: object) -> random.Random:
        """A random number generator that depends on the seed and the name only."""
        return random.Random("/".join(map(str, (self.seed, *name))))  # noqa: S311 - reproducible on purpose

    def words(self, *name: object) -> Words:
        """A function of an index: twelve numbers of 32 bits that depend on the seed, the name and the index only.

        Hashing the index costs a tenth of a stream for each.
        """
        copy = blake2b("/".join(map(str, (self.seed, *name))).encode(), digest_size=_DIGEST_BYTES).copy
        pack, unpack = _INDEX.pack, _WORDS.unpack

        def drawn(index: int) -> tuple[int, ...]:
            state = copy()
            state.update(pack(index))
            return unpack(state.digest())

        return drawn

    def apart(self, *name: object) -> Ids:
        """Another source of ids, which depends on the seed and the name only."""
        return Ids(self.stream(*name).getrandbits(64))

    def uuid(self) -> str:
        """A version 4 UUID."""
        return str(uuid.UUID(int=self._bits(128), version=4))

    def trace_id(self) -> str:
        """32 lower-case hexadecimal digits, the form of the `traceId` that StackAdapt's errors carry."""
        return f"{self._bits(128):032x}"

    def ksuid(self, at: datetime) -> str:
        """A KSUID: 27 base-62 characters whose first 32 bits are the second of `at`.

        Segment's audience ids (`aud_…`) and Engage message ids (`personas_…`) are KSUIDs.
        """
        return base62(_ksuid_seconds(at) | self._bits(128), _KSUID_LENGTH)

    def ksuids(self, at: datetime, count: int) -> list[str]:
        """So many KSUIDs, the same as `ksuid` returns one after the other."""
        seconds, words = _ksuid_seconds(at), self._bits(128 * count).to_bytes(16 * count, "little")
        return [
            base62(seconds | int.from_bytes(words[start : start + 16], "little"), _KSUID_LENGTH)
            for start in range(0, 16 * count, 16)
        ]

    def number(self) -> int:
        """1, 2, 3, …"""
        with self._lock:
            return next(self._numbers)

    def _bits(self, width: int) -> int:
        with self._lock:
            return self._draws.getrandbits(width)


def secret(prefix: str) -> str:
    """A fresh, unguessable token."""
    return f"{prefix}{secrets.token_hex(16)}"


def idempotency_key() -> int:
    """A fresh number of 63 bits, for what may be done twice and must count once."""
    return secrets.randbits(63)


def base62(number: int, length: int) -> str:
    """`number` in base 62, left-padded with zeros to `length`; digits before these are dropped."""
    parts: list[str] = []
    while number and len(parts) * 8 < length:
        number, eight = divmod(number, _EIGHT_DIGITS)
        high, low = divmod(eight, _FOUR_DIGITS)
        parts.append(
            _PAIRS[high // _TWO_DIGITS]
            + _PAIRS[high % _TWO_DIGITS]
            + _PAIRS[low // _TWO_DIGITS]
            + _PAIRS[low % _TWO_DIGITS]
        )
    parts.reverse()
    return "".join(parts).rjust(length, _BASE62[0])[-length:]


@lru_cache(maxsize=16)  # all events of a call have the same time
def _ksuid_seconds(at: datetime) -> int:
    seconds = int(at.astimezone(UTC).timestamp()) - _KSUID_EPOCH
    return max(seconds, 0) << 128


def number_in_base62(text: str) -> int:
    """The number that `base62` wrote; 0 for any other text."""
    if not text.isascii() or not text.isalnum():
        return 0
    return sum(_BASE62.index(digit) * 62**power for power, digit in enumerate(reversed(text)))
