"""Exchanges with a real StackAdapt: recorded without personal data, and replayed against the emulator."""

from emulator.harness.recordings.exchange import Exchange, read_exchanges
from emulator.harness.recordings.recording import KEPT_HEADERS, Recording
from emulator.harness.recordings.replay import replay

__all__ = ["KEPT_HEADERS", "Exchange", "Recording", "read_exchanges", "replay"]
