"""Segment's side: the Tracking API, Engage's profiles and audiences, delivery to destinations.

`generator` makes people to send; it is imported by itself, since it brings a large library along.
"""

from emulator.segment.service import Receipt, Segment
from emulator.segment.tracking.request_body import BadRequest

__all__ = ["BadRequest", "Receipt", "Segment"]
