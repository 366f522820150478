"""Exchanges with a real StackAdapt: recorded without personal data, and replayed against the emulator."""

from emulator.harness.recordings.exchange import KEPT_HEADERS, Exchange, Recording, body_of, read_exchanges
from emulator.harness.recordings.journal import recorded
from emulator.harness.recordings.pseudonyms import Pseudonyms, blank, personal_strings
from emulator.harness.recordings.replay import replay

__all__ = [
    "KEPT_HEADERS",
    "Exchange",
    "Pseudonyms",
    "Recording",
    "blank",
    "body_of",
    "personal_strings",
    "read_exchanges",
    "recorded",
    "replay",
]
