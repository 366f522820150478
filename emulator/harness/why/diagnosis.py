"""Where it stopped, the question's property or segment included."""

from __future__ import annotations

from emulator.harness.why.answer import Stop
from emulator.harness.why.evidence import Evidence, Services
from emulator.harness.why.properties import property_stop
from emulator.harness.why.segments import segment_stop
from emulator.harness.why.stops import stop_of


def diagnosed(evidence: Evidence, services: Services) -> Stop | None:
    """Where it stopped; None when the person, with the property and in the segment of the question, is visible."""
    stop = stop_of(evidence)
    if stop is None and evidence.question.property is not None:
        stop = property_stop(evidence)
    if stop is None and evidence.question.segment is not None:
        stop = segment_stop(evidence, services)
    return stop
