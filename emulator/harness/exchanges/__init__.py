"""Exchanges with a real StackAdapt: recorded without what identifies anybody, and replayed against the emulator."""

from emulator.harness.exchanges.exchange import Exchange, read_exchanges
from emulator.harness.exchanges.recording import KEPT_HEADERS, Recording
from emulator.harness.exchanges.replaying import replay

__all__ = ["KEPT_HEADERS", "Exchange", "Recording", "read_exchanges", "replay"]
