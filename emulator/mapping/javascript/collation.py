"""The order of names as `localeCompare` has it in Node: the root collation of Unicode, near enough for names.

Punctuation before digits before letters; accents and then case (small first) only decide between equal letters. Other
scripts follow in the order of their code points, which is an approximation.
"""

from __future__ import annotations

import unicodedata
from typing import TypeAlias

_ASCII_ORDER = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
_RANK = {character: rank for rank, character in enumerate(_ASCII_ORDER)}

CollationKey: TypeAlias = tuple[tuple[int, ...], tuple[str, ...], tuple[bool, ...]]


def collation_key(text: str) -> CollationKey:
    """A key for `sorted`: letters first, then accents, then case."""
    decomposed = unicodedata.normalize("NFKD", text)
    letters = [character for character in decomposed if not unicodedata.combining(character)]
    accents = tuple(character for character in decomposed if unicodedata.combining(character))
    ranks = tuple(_RANK.get(part, len(_RANK) + ord(part)) for letter in letters for part in letter.casefold())
    return ranks, accents, tuple(letter.isupper() for letter in letters)
