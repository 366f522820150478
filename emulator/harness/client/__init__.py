"""What a test, a scenario or a command holds in its hands: StackAdapt, Segment and the clock of one endpoint.

Everything here speaks HTTP, so an emulator in process, one on a port and somebody else's endpoint look the same.
"""

from emulator.harness.client.clock import ClockClient
from emulator.harness.client.control import Control, refusal_in
from emulator.harness.client.endpoint import Endpoint, NoControl
from emulator.harness.client.failures import Failures, failures_at
from emulator.harness.client.segment import SegmentClient
from emulator.harness.client.stackadapt import StackAdaptClient
from emulator.harness.client.timeline import Timeline, timeline_of

__all__ = [
    "ClockClient",
    "Control",
    "Endpoint",
    "Failures",
    "NoControl",
    "SegmentClient",
    "StackAdaptClient",
    "Timeline",
    "failures_at",
    "refusal_in",
    "timeline_of",
]
