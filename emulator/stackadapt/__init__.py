"""The StackAdapt service: a GraphQL API that accepts profiles and applies them.

`StackAdapt` is the public interface; `emulator.stackadapt.http` serves it. Knows nothing of Segment.
"""

from emulator.stackadapt.limits import Limits
from emulator.stackadapt.service import StackAdapt

__all__ = ["Limits", "StackAdapt"]
