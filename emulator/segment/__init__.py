"""Segment's side: the Tracking API, Engage's profiles and audiences, delivery to destinations.

`generator` makes people to send; it is imported by itself, since it brings a large library along.
"""

from emulator.segment.bodies import BadRequest
from emulator.segment.segment import Receipt, Segment

__all__ = ["BadRequest", "Receipt", "Segment"]
