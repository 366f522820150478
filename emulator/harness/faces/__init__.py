"""What a test, a scenario or a command holds in its hands: StackAdapt, Segment and the clock of one endpoint.

Everything here speaks HTTP, so an emulator in process, one on a port and somebody else's endpoint look the same.
"""

from emulator.harness.faces.clock import ClockFace
from emulator.harness.faces.control import Control, refusal_in
from emulator.harness.faces.endpoint import Endpoint, NoControl
from emulator.harness.faces.segment import SegmentFace
from emulator.harness.faces.stackadapt import StackAdaptFace
from emulator.harness.faces.story import Story, tell
from emulator.harness.faces.troubles import Troubles, troubles

__all__ = [
    "ClockFace",
    "Control",
    "Endpoint",
    "NoControl",
    "SegmentFace",
    "StackAdaptFace",
    "Story",
    "Troubles",
    "refusal_in",
    "tell",
    "troubles",
]
